"""Records put into files and read out again; real readers say that the files are whole."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from explorer.records.table import Table
from explorer.saving.arrays import arrays_of
from explorer.saving.formats import to_json
from explorer.saving.metadata import csv_head, html_part, in_pdf, in_png, in_svg, npz_bytes, read_provenance

RECORD = {
    "kind": "heatmap",
    "link": "/?text=a%20%3Cb%3E",
    "model": "minilm",
    "settings": {"text": 'a <b> & </script> "q" ‮שלום 🙂'},
    "python": ["import explorer"],
}


def png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(file, "PNG")
    return file.getvalue()


def pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 100)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_a_png_keeps_its_dots(mode: str) -> None:
    file = io.BytesIO()
    Image.fromarray(noise(8)).convert(mode).save(file, "PNG")
    made = in_png(file.getvalue(), RECORD, 3)
    with Image.open(file) as before, Image.open(io.BytesIO(made)) as image:
        assert json.loads(image.text["explorer"]) == RECORD
        assert image.mode == before.mode == mode
        assert image.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()
        assert image.info["dpi"] == pytest.approx((288, 288), abs=0.02)
    with Image.open(io.BytesIO(made)) as image:
        image.verify()  # every chunk's checksum
    assert read_provenance(made, "x.png") == RECORD


def test_a_drawing_keeps_its_text() -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="10"><text>a &lt; b</text></svg>'
    made = in_svg(drawn, RECORD)
    root = ET.fromstring(made)
    told, text = list(root)
    assert told.get("id") == "explorer"
    assert json.loads(told.text or "") == RECORD
    assert text.text == "a < b"
    assert read_provenance(made.encode(), "x.svg") == RECORD


def test_a_document_is_scaled_and_told() -> None:
    made = in_pdf(pdf(), RECORD, 1.5)
    (page,) = PdfReader(io.BytesIO(made)).pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == (300, 150)
    assert read_provenance(made, "x.pdf") == RECORD


def test_a_page_is_not_ended_by_what_a_text_says() -> None:
    page = f"<html><head>{html_part(RECORD)}</head><body></body></html>"
    assert page.count("</script>") == 1
    assert read_provenance(page.encode(), "x.html") == RECORD


def test_a_table_keeps_its_rows() -> None:
    table = Table.of(["token", "weight"], [["a,b", 0.25], ["c", float("nan")]])
    text = table.headed(csv_head(RECORD)).csv()
    header, *rows = csv.reader(io.StringIO(text))
    assert header[:2] == ["token", "weight"]
    assert rows == [["a,b", "0.25", ""], ["c", "", ""]]
    assert read_provenance(text.encode(), "x.csv") == RECORD


def test_arrays_are_those_of_the_result() -> None:
    result = {
        "kind": "x",
        "attention": [[0.5, None], [0.25, 1.0]],
        "queries": ["a", "b"],
        "points": [{"x": 1.0, "sense": "fruit"}, {"x": None, "sense": "firm"}],
        "measures": {"entropy": [1.5, 2.5]},
        "layer": 3,
        "pair": None,
        "ragged": [[1], [1, 2]],
        "versions": {"numpy": "2"},
    }
    made = npz_bytes(arrays_of(result), RECORD)
    with np.load(io.BytesIO(made), allow_pickle=False) as found:
        np.testing.assert_array_equal(found["attention"], [[0.5, np.nan], [0.25, 1.0]])
        assert found["queries"].tolist() == ["a", "b"]
        np.testing.assert_array_equal(found["points.x"], [1.0, np.nan])
        assert found["points.sense"].tolist() == ["fruit", "firm"]
        assert found["measures.entropy"].tolist() == [1.5, 2.5]
        assert found["layer"] == 3
        assert found["ragged"].tolist() == ["[1]", "[1, 2]"]
        assert "versions.numpy" not in found
        assert "pair" not in found
    assert read_provenance(made, "x.npz") == RECORD


def parquet(record: dict | None) -> bytes:
    schema = pa.schema([("layer", pa.int64())])
    if record is not None:
        schema = schema.with_metadata({"explorer": json.dumps({"provenance": record})})
    file = io.BytesIO()
    pq.write_table(pa.table({"layer": [0, 1]}, schema=schema), file)
    return file.getvalue()


def locked() -> bytes:
    """A PDF that asks for a password; RC4, which needs no further package."""
    writer = PdfWriter()
    writer.add_blank_page(200, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


TABLE = Table.of(["token", "weight"], [["a", 0.25]])
# A file of each format, as small as its writer makes it.
SAVED = {
    "PNG": in_png(png(), RECORD),
    "SVG": in_svg('<svg width="10"><text>a</text></svg>', RECORD).encode(),
    "PDF": in_pdf(pdf(), RECORD),
    "HTML": f"<html><head>{html_part(RECORD)}</head><body></body></html>".encode(),
    "CSV": TABLE.headed(csv_head(RECORD)).csv().encode(),
    "JSON": json.dumps({"weights": [0.25], "provenance": RECORD}).encode(),
    "NPZ": npz_bytes({"weights": np.arange(4.0)}, RECORD),
    "Parquet": parquet(RECORD),
}
UNREADABLE = re.compile(
    r"x\.bin (cannot be read as (PNG|PDF|NPZ|Parquet|text): it is damaged or incomplete; give the "
    r"file as it was saved here|holds no record of what made it: give a file [^\n]*)"
)


def _read(data: bytes) -> str:
    """What is said of a file, or nothing where it is read."""
    try:
        read_provenance(data, "x.bin")
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", SAVED)
def test_a_file_that_was_cut_off_is_one_line(kind: str) -> None:
    data = SAVED[kind]
    said = [_read(data[:length]) for length in range(len(data))]
    assert all(UNREADABLE.fullmatch(line) for line in said if line)
    assert "cannot be read as" in " ".join(said)
    assert _read(data) == ""


@pytest.mark.parametrize("kind", SAVED)
def test_a_file_with_a_flipped_bit_is_read_or_one_line(kind: str) -> None:
    data = SAVED[kind]
    chance = np.random.default_rng(0)
    for place, bit in zip(chance.integers(len(data), size=800), chance.integers(8, size=800), strict=True):
        flipped = bytearray(data)
        flipped[place] ^= 1 << bit
        line = _read(bytes(flipped))
        assert not line or UNREADABLE.fullmatch(line), (place, bit)


def noise(size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(size, size, 3), dtype=np.uint8)


def large() -> dict[str, bytes]:
    """Files of some 100 kB, of every format whose parts do not name their places in the file."""
    image, rows = io.BytesIO(), [[str(n), n / 7] for n in range(5_000)]
    Image.fromarray(noise(200)).save(image, "PNG")
    values = pa.array(np.random.default_rng(0).random(20_000))
    schema = pa.schema([("x", pa.float64())], {"explorer": to_json({"provenance": RECORD})})
    columns = io.BytesIO()
    pq.write_table(pa.table({"x": values}, schema=schema), columns)
    drawn = f'<svg width="10">{"<text>a</text>" * 10_000}</svg>'
    return {
        "PNG": in_png(image.getvalue(), RECORD),
        "SVG": in_svg(drawn, RECORD).encode(),
        "HTML": f"<html>{html_part(RECORD)}{'<p>a</p>' * 20_000}</html>".encode(),
        "CSV": Table.of(["a", "b"], rows).headed(csv_head(RECORD)).csv().encode(),
        "JSON": to_json({"x": rows, "provenance": RECORD}).encode(),
        "NPZ": npz_bytes({"x": noise(200)}, RECORD),
        "Parquet": columns.getvalue(),
    }


@pytest.mark.parametrize("kind", [kind for kind in SAVED if kind != "PDF"])
def test_the_ends_of_a_large_file_are_enough(kind: str) -> None:
    data = large()[kind]
    assert len(data) > 60_000
    assert read_provenance(data, "x") == RECORD
    assert read_provenance(data[:10_000] + data[-10_000:], "x") == RECORD


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("PNG", SAVED["PNG"].replace(b'"minilm"', b'"minikm"')),  # its checksum is another
        ("NPZ", zipped(**{"explorer.npy": b"\x93NUMPY nonsense"})),
        ("NPZ", b"PK\x03\x04 broken"),
        ("PDF", b"%PDF-1.4 broken"),
        ("Parquet", b"PAR1 broken"),
        ("PNG", b"\x89PNG\r\n\x1a\n broken"),
        ("text", b'{"a": ' * 100_000),
        ("text", b'{"provenance": {"kind": "heatmap"'),
        ("text", b'a,"explorer: '),
        ("text", SAVED["HTML"].replace(b'"minilm"', b'"mini\xfflm"')),
        ("text", SAVED["JSON"].replace(b'"minilm"', b'"mini\\ud800lm"')),
        ("text", SAVED["SVG"].replace(b'"minilm"', b"NaN")),
    ],
)
def test_a_damaged_file_is_told_so(kind: str, data: bytes) -> None:
    assert _read(data).startswith(f"x.bin cannot be read as {kind}: it is damaged or incomplete;")


def test_damage_outside_the_record_is_no_matter() -> None:
    assert read_provenance(SAVED["HTML"].replace(b"<body>", b"<body>\xff\xfe"), "x") == RECORD
    assert read_provenance(SAVED["PNG"][:-20], "x") == RECORD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"{}",
        b'{"provenance": 3}',
        b"a,b\n1,2\n",
        png(),
        pdf(),
        locked(),
        parquet(None),
        npz_bytes({}, {}),
        zipped(**{"index.html": b"<p>"}),
        zipped(),
        b"<svg></svg>",
        b"<html><body></body></html>",
        b"\xff\xfe\x00",
        b"GIF89a\x00\xff",
        b"[1, 2]",
        b"a\rb\x00,\n",
        b'{"provenance": {"kind": "heatmap"}}',
        b'{"provenance": {"kind": "heatmap", "link": "/"}}',
        b'{"provenance": {"kind": ["x"], "link": "/", "model": "m", "settings": {}}}',
    ],
)
def test_a_file_without_a_record_is_one_line(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^x\.bin holds no record of what made it: give a file"):
        read_provenance(data, "x.bin")
