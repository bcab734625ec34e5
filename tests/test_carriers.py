"""Records put into files and read out again; real readers say that the files are whole."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from explorer.export.arrays import arrays_of
from explorer.export.carriers import (
    csv_head,
    html_part,
    in_pdf,
    in_png,
    in_svg,
    npz_bytes,
    read_record,
)
from explorer.tables import Table

RECORD = {
    "kind": "heatmap", "link": "/?text=a%20%3Cb%3E", "model": "minilm",
    "settings": {"text": "a <b> & </script> \"q\" ‮שלום 🙂"}, "python": ["import explorer"],
}  # fmt: skip


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


def test_a_png_keeps_its_dots() -> None:
    made = in_png(png(), RECORD)
    with Image.open(io.BytesIO(made)) as image:
        assert json.loads(image.text["explorer"]) == RECORD
        assert np.asarray(image).tolist() == np.arange(48).reshape(4, 4, 3).tolist()
    with Image.open(io.BytesIO(made)) as image:
        image.verify()  # every chunk's checksum
    assert read_record(made, "x.png") == RECORD


def test_a_drawing_keeps_its_text() -> None:
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="10"><text>a &lt; b</text></svg>'
    made = in_svg(drawn, RECORD)
    root = ET.fromstring(made)
    told, text = list(root)
    assert told.get("id") == "explorer"
    assert json.loads(told.text or "") == RECORD
    assert text.text == "a < b"
    assert read_record(made.encode(), "x.svg") == RECORD


def test_a_document_is_scaled_and_told() -> None:
    made = in_pdf(pdf(), RECORD, 1.5)
    (page,) = PdfReader(io.BytesIO(made)).pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == (300, 150)
    assert read_record(made, "x.pdf") == RECORD


def test_a_page_is_not_ended_by_what_a_text_says() -> None:
    page = f"<html><head>{html_part(RECORD)}</head><body></body></html>"
    assert page.count("</script>") == 1
    assert read_record(page.encode(), "x.html") == RECORD


def test_a_table_keeps_its_rows() -> None:
    table = Table.of(["token", "weight"], [["a,b", 0.25], ["c", float("nan")]])
    text = table.headed(csv_head(RECORD)).csv()
    header, *rows = csv.reader(io.StringIO(text))
    assert header[:2] == ["token", "weight"]
    assert rows == [["a,b", "0.25", ""], ["c", "", ""]]
    assert read_record(text.encode(), "x.csv") == RECORD


def test_arrays_are_those_of_the_result() -> None:
    result = {
        "kind": "x", "attention": [[0.5, None], [0.25, 1.0]], "queries": ["a", "b"],
        "points": [{"x": 1.0, "sense": "fruit"}, {"x": None, "sense": "firm"}],
        "measures": {"entropy": [1.5, 2.5]}, "layer": 3, "pair": None, "ragged": [[1], [1, 2]],
        "versions": {"numpy": "2"},
    }  # fmt: skip
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
    assert read_record(made, "x.npz") == RECORD


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"{}", b'{"provenance": 3}', b"a,b\n1,2\n", png(), pdf(), b"PK\x03\x04 broken",
     b"%PDF-1.4 broken", b"\x89PNG\r\n\x1a\n broken", b"<svg></svg>", b"\xff\xfe\x00",
     b'{"provenance": {"kind": "heatmap"}}', b'{"provenance": {"kind": "heatmap", "link": "/"}}',
     b'{"provenance": {"kind": ["x"], "link": "/", "model": "m", "settings": {}}}',
     npz_bytes({}, {})],
)  # fmt: skip
def test_a_file_without_a_record_is_one_line(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^x\.bin holds no record of what made it: give a file"):
        read_record(data, "x.bin")
