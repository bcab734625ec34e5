"""Views to files and back: what is in them, made again; from Python as from the page."""

from __future__ import annotations

import base64
import csv
import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

import explorer
from explorer.figures.figure_style import FigureStyle
from explorer.saving.files import FORMATS, ExportError
from explorer.saving.metadata import csv_head, read_provenance
from explorer.saving.provenance import provenance_of
from explorer.saving.remake import remake
from explorer.saving.rendering import Draw
from explorer.saving.save import Saving, file_name, saved
from explorer.session import short_links
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from tests.computing import computed_at, link_of

TEXT = "She ate an unbelievable apple & <b>."
LINK = f"/?text={TEXT.replace(' ', '%20').replace('&', '%26')}&layer=1&head=8"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def session(minilm: explorer.LoadedModel) -> Session:
    return Session.of(explorer.capture(minilm, TEXT))


@pytest.fixture(scope="module")
def attention(minilm: explorer.LoadedModel) -> np.ndarray:
    return explorer.capture(minilm, TEXT).attention(1, 8)


@pytest.fixture(scope="module")
def drawn(session: Session, draw: Draw) -> dict[str, bytes]:
    """The map as PNG, SVG and PDF of a column's width, by one browser."""
    view, _ = computed_at(session, LINK)
    saving = Saving(look=FigureStyle(width=1, unit="columns", points=7))
    return {kind: saved(session, view, kind, saving, draw) for kind in ("png", "svg", "pdf")}


def test_a_png_has_the_size_asked_for(drawn: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(drawn["png"])) as image:
        # 8.5 cm of 96 dots an inch, twice: within a dot.
        assert image.width == pytest.approx(2 * 8.5 / 2.54 * 96, abs=1)
        assert image.convert("L").getextrema()[1] - image.convert("L").getextrema()[0] > 200


def test_a_drawing_is_vector_with_labels_as_text(drawn: dict[str, bytes], session: Session) -> None:
    root = ET.fromstring(drawn["svg"])
    # Within a pixel of 1/96 inch.
    assert float(root.get("width", "").removesuffix("cm")) == pytest.approx(8.5, abs=2.54 / 96)
    names = [node.tag.rpartition("}")[2] for node in root.iter()]
    assert "image" not in names
    texts = ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")]
    cap = session.capture(TextRequest("minilm", TEXT))
    for label in cap.tokens:
        assert any(label in text for text in texts), label
    assert any("layer 1, head 8" in text for text in texts)


def test_a_document_has_the_size_and_the_labels(drawn: dict[str, bytes]) -> None:
    (page,) = PdfReader(io.BytesIO(drawn["pdf"])).pages
    assert float(page.mediabox.width) == pytest.approx(8.5 / 2.54 * 72, abs=0.75)  # a pixel, in points
    text = "".join(page.extract_text().split())
    for label in ("[CLS]", "apple", "unbelievable"[:4], "attentionweight"):
        assert label.replace(" ", "") in text, label
    assert image_count(drawn["pdf"]) == 0


def image_count(document: bytes) -> int:
    """How many images the pages of a PDF hold, those within a form with them."""
    return sum(map(_images, PdfReader(io.BytesIO(document)).pages))


def _images(holder: DictionaryObject) -> int:
    resources = holder.get("/Resources", DictionaryObject()).get_object()
    parts = [part.get_object() for part in resources.get("/XObject", DictionaryObject()).get_object().values()]
    return sum(part["/Subtype"] == "/Image" for part in parts) + sum(
        _images(part) for part in parts if part["/Subtype"] == "/Form"
    )


def test_an_image_in_a_document_is_found() -> None:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PDF")
    assert image_count(file.getvalue()) == 1


@pytest.mark.parametrize("kind", ["csv", "json", "npz", "html"])
def test_numbers_are_those_of_the_capture(session: Session, attention: np.ndarray, kind: str) -> None:
    view, _ = computed_at(session, LINK)
    data = saved(session, view, kind)
    record = read_provenance(data, kind)
    assert record["link"] == link_of(view)
    assert record["settings"]["text"] == TEXT
    assert record["checksum"].startswith("sha256:53aa51172d14")  # the published one
    assert record["versions"]["transformers"]
    if kind == "csv":
        _, *rows = csv.reader(io.StringIO(data.decode()))
        found = np.array([row[1:-1] for row in rows], dtype=float)
    elif kind == "json":
        found = np.array(json.loads(data)["attention"])
    elif kind == "npz":
        found = np.load(io.BytesIO(data))["attention"]
    else:
        text = data.decode()
        assert "https://cdn" not in text.partition("<body>")[0]
        assert 'src="http' not in text
        found = map_of_page(text)
    np.testing.assert_array_equal(found.astype(np.float32), attention)


def map_of_page(text: str) -> np.ndarray:
    """The numbers of the heatmap that a saved page draws; plotly.py writes arrays in base64."""
    _, _, drawn = text.rpartition("Plotly.newPlot(")
    traces, _ = json.JSONDecoder().raw_decode(drawn[drawn.index("[") :])
    (cells,) = (trace["z"] for trace in traces if trace["type"] == "heatmap")
    if isinstance(cells, list):
        return np.array(cells, dtype=float)
    shape = [int(side) for side in cells["shape"].split(",")]
    return np.frombuffer(base64.b64decode(cells["bdata"]), cells["dtype"]).reshape(shape)


def test_a_view_is_made_again_by_another_process_from_its_file_alone(session: Session, tmp_path: Path) -> None:
    view, _ = computed_at(session, LINK)
    path = tmp_path / "head.json"
    path.write_bytes(saved(session, view, "json"))
    ended = subprocess.run(
        [sys.executable, "-m", "explorer", "remake", str(path), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["difference"], told["mismatches"], told["agrees"]) == (0, [], True)


def test_the_lines_of_python_in_a_file_make_it_again(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attention: np.ndarray
) -> None:
    view, _ = computed_at(session, LINK)
    record = read_provenance(saved(session, view, "json"), "x")
    monkeypatch.chdir(tmp_path)
    exec("\n".join(record["python"]), {})
    found = json.loads((tmp_path / "view.json").read_text(encoding="utf-8"))
    np.testing.assert_array_equal(np.float32(found["attention"]), attention)


def test_a_changed_number_or_label_is_found(session: Session) -> None:
    view, _ = computed_at(session, LINK)
    told = json.loads(saved(session, view, "json"))
    assert remake(session, json.dumps(told).encode(), "x.json").agrees
    told["attention"][2][3] += 0.25
    found = remake(session, json.dumps(told).encode(), "x.json")
    assert (found.agrees, found.where) == (False, "attention[2][3]")
    assert found.difference == pytest.approx(0.25)
    told["attention"][2][3] -= 0.25
    told["queries"][1] = "he"
    told["attention"][0][0] = None
    found = remake(session, json.dumps(told).encode(), "x.json")
    assert found.mismatches == ("queries[1]", "attention[0][0]")
    assert found.difference == float("inf")
    assert not found.agrees


def test_what_is_not_as_it_was_is_said(session: Session) -> None:
    view, _ = computed_at(session, LINK)
    told = json.loads(saved(session, view, "json"))
    told["provenance"]["checksum"] = "sha256:0"
    told["provenance"]["versions"]["torch"] = "1.0"
    found = remake(session, json.dumps(told).encode(), "x.json")
    assert found.agrees
    assert [one.partition(":")[0] for one in found.remarks] == ["checksum", "torch"]


def test_a_kind_of_a_newer_version_is_one_line(session: Session) -> None:
    view, _ = computed_at(session, LINK)
    told = json.loads(saved(session, view, "json"))
    told["provenance"]["kind"] = "hologram"
    with pytest.raises(ValueError, match="of the kind 'hologram', which this version does not"):
        remake(session, json.dumps(told).encode(), "x.json")


def test_only_json_is_compared(session: Session) -> None:
    view, _ = computed_at(session, LINK)
    with pytest.raises(ValueError, match=r"x\.csv is no JSON"):
        remake(session, saved(session, view, "csv"), "x.csv")


def test_a_word_with_a_slash_is_no_folder(session: Session) -> None:
    view, _ = computed_at(session, "/embeddings?word=and/or&sentences=a | Tea and/or milk.%0Ab | Cats and/or dogs.")
    assert file_name(view, "csv", Saving()) == "minilm-and-or-layer3.csv"


def test_only_a_drawing_is_named_after_its_figure(session: Session) -> None:
    view, _ = computed_at(session, f"/inside?text={TEXT.split()[0]}%20ate&mode=mask&query=1")
    names = {kind: file_name(view, kind, Saving("late")) for kind in FORMATS}
    stem = "minilm-layer0-head0-masks"
    assert names == {
        **{kind: f"{stem}-late.{kind}" for kind in ("png", "svg", "pdf", "html")},
        **{kind: f"{stem}.{kind}" for kind in ("csv", "json", "npz")},
    }
    assert file_name(view, "svg", Saving("own")) == f"{stem}.svg"
    # The further figure's numbers are in that file as well: a cosine a layer for either model.
    with np.load(io.BytesIO(saved(session, view, "npz", Saving("late")))) as arrays:
        assert arrays["late.cosine"].shape == arrays["late.layer"].shape == (7 + 31,)


def test_an_unknown_format_or_figure_names_those_that_work(session: Session) -> None:
    view, _ = computed_at(session, LINK)
    with pytest.raises(ValueError, match="bmp is no format to save in: use png, svg"):
        saved(session, view, "bmp")
    with pytest.raises(ValueError, match="heatmap has no figure 'graph': use map"):
        saved(session, view, "html", Saving("graph"))
    with pytest.raises(ValueError, match="5 dots a pixel are out of range"):
        Saving(dots=5)


def test_views_from_python(
    minilm: explorer.LoadedModel, attention: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap = explorer.capture(minilm, TEXT)
    one = explorer.view(cap, layer=1, head=8)
    assert one.link == link_of(computed_at(Session.of(cap), LINK)[0])
    np.testing.assert_array_equal(np.float32(one.data()["attention"]), attention)
    assert one.data()["provenance"]["link"] == one.link
    figure = explorer.show(cap, "lines", layer=1, head=8, threshold=0.5)
    assert isinstance(figure, go.Figure)
    assert one.csv().splitlines()[1].startswith("[CLS],")
    assert repr(one).startswith("<view heatmap: /?text=")
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    assert "application/vnd.plotly.v1+json" in one._repr_mimebundle_()


def test_a_setting_that_is_none_is_not_given(minilm: explorer.LoadedModel) -> None:
    plain = explorer.view("heatmap", text=TEXT, device="cpu")
    given = explorer.view("heatmap", text=TEXT, pair=None, layer=None, window=None, device="cpu")
    assert given.link == plain.link
    assert given.data()["keys"] == plain.data()["keys"]
    cap = explorer.capture(minilm, TEXT, "He slept.")
    assert explorer.view(cap, pair=None).data()["pair"] == "He slept."
    assert explorer.view(LINK, head=None).link == explorer.view(LINK).link


def test_a_views_file_has_its_look(minilm: explorer.LoadedModel, tmp_path: Path) -> None:
    one = explorer.view(explorer.capture(minilm, TEXT), layer=1, head=8)
    path = one.save(tmp_path / "map.html", theme="dark", caption=False)
    assert read_provenance(path.read_bytes(), "x")["look"] == {"theme": "dark", "caption": False}
    with pytest.raises(ValueError, match=r"use \.png, \.svg, \.pdf, \.html, \.csv"):
        one.save(tmp_path / "map.bmp")
    with pytest.raises(ValueError, match="a figure has no colour: it has"):
        one.save(tmp_path / "map.html", colour="red")
    with pytest.raises(ValueError, match="there is no folder"):
        one.save(tmp_path / "nowhere" / "map.html")


@pytest.mark.parametrize(
    ("what", "settings", "said"),
    [
        ("hologram", {}, "unknown view 'hologram': use heatmap"),
        ("heatmap", {"colour": 1}, "heatmap has no setting colour"),
        ("heatmap", {"layer": "x"}, "layer='x' is not a value of it"),
        ("heatmap", {"text": TEXT, "layer": 6}, "layer 6 is out of range: minilm has layers 0 to 5"),
        ("/nowhere", {}, "/nowhere is not a page"),
    ],
)
def test_a_view_there_is_not_is_one_line(what: str, settings, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        explorer.view(what, **settings)


def test_drawing_without_a_browser_says_how_to_get_one(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    view, _ = computed_at(session, LINK)
    with pytest.raises(ExportError, match="is no program: name a Chromium or Chrome that runs"):
        saved(session, view, "svg")


def test_a_kept_state_is_the_same_view_everywhere(minilm: explorer.LoadedModel) -> None:
    name = short_links.store(LINK)
    assert explorer.view(f"/?saved={name}").link == explorer.view(LINK).link
    with pytest.raises(ValueError, match="no view named 0123456789abcdef is stored here"):
        explorer.view("/?saved=0123456789abcdef")


def test_a_pinned_revision_and_a_pngs_dots_are_in_its_lines() -> None:
    model = {"revision": "abc123", "checksum": "sha256:0", "device": "cpu", "dtype": "float32"}
    drawn = {"figure": "map", "dots": 4.0}
    told = provenance_of("heatmap", LINK, {"model": "gpt2"}, model, "png", drawn)
    assert "--revision=abc123" in told["command"]
    assert "--dots=4" in told["command"]
    assert told["command"].endswith("-o figure.png")
    assert "revision='abc123'" in told["python"][1]
    assert told["python"][2] == "view.save('figure.png', figure='map', dots=4.0)"
    bundled = provenance_of("heatmap", LINK, {"model": "m"}, model | {"revision": "p==1"}, "json")
    assert "revision" not in bundled["command"]


def test_a_png_is_as_wide_on_paper_as_it_says(drawn: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(drawn["png"])) as image:
        across, _ = image.info["dpi"]
        assert image.width / across * 2.54 == pytest.approx(8.5, abs=0.1)


@pytest.mark.parametrize("settings", [{"layer": "abc"}, {"layer": None}, {"layer": [1]}, {"shiny": 3}, {"text": 5}])
def test_a_record_with_nonsense_is_shown_with_a_remark(session: Session, settings) -> None:
    view, _ = computed_at(session, LINK)
    told = json.loads(saved(session, view, "json"))
    told["provenance"]["settings"] |= settings
    found = remake(session, json.dumps(told).encode(), "x.json")
    if "text" in settings:
        assert not found.agrees
    else:
        assert "x.json" in found.remarks[0]


def test_a_table_of_a_very_long_text_remembers_it(session: Session) -> None:
    view, _ = computed_at(session, LINK)
    long = {**view.settings.as_dict(), "text": "שלום " * 30_000}
    told = provenance_of("heatmap", LINK, long, {}, "csv")
    table = view.table().headed(csv_head(told))
    assert read_provenance(table.csv().encode(), "x.csv")["settings"]["text"] == long["text"]


def test_a_comparison_tells_both_models(minilm: explorer.LoadedModel, smollm2) -> None:
    one = explorer.view("/?mode=comparison&other_model=smollm2&other_layer=2&other_head=1")
    told = one.data()["provenance"]
    assert told["other"]["model"] == "smollm2"
    assert told["other"]["checksum"].startswith("sha256:b179c9523d0e")


def test_what_comes_too_late_tells_both_models(session: Session) -> None:
    where = "/inside?mode=mask&text=She%20ate.&query=2"
    view, _ = computed_at(session, where)
    told = json.loads(saved(session, view, "json"))
    second = told["provenance"]["other"]
    assert {one["model"] for one in told["late"]} == {"minilm", second["model"]}
    assert second["model"] == "smollm2"
    assert second["checksum"].startswith("sha256:b179c9523d0e")
    second["checksum"] = "sha256:0"
    found = remake(session, json.dumps(told).encode(), "x.json")
    assert found.agrees
    assert [one.partition(":")[0] for one in found.remarks] == ["checksum"]
    alone, _ = computed_at(session, where.replace("query=2", "query=0"))  # [CLS]: no curve
    assert "other" not in json.loads(saved(session, alone, "json"))["provenance"]
