"""Every format that every view is saved in, opened by a reader of its own."""

from __future__ import annotations

import csv
import html
import io
import json
import unicodedata
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from explorer.saving.files import DRAWINGS, FORMATS
from explorer.saving.formats import to_json
from explorer.saving.metadata import read_provenance
from explorer.saving.rendering import Draw
from explorer.saving.save import Saving, saved
from explorer.session.session import Session
from explorer.views.registry import VIEWS
from explorer.views.spec import ComputedView
from tests.checkpoints import PAIR
from tests.computing import computed, computed_at, link_of
from tests.conftest import Folder

PLACE = {"layer": 2, "head": 3, "query": 6}
# Of each view its settings, text that its first figure holds, and an array of its NPZ.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "heatmap": ({}, ("[CLS]", "dog", "key (attended to)"), "attention"),
    "lines": ({}, ("dog",), "lines.weight"),
    "comparison": ({}, ("[CLS]", "dog", "key (attended to)"), "difference"),
    "distances": ({}, ("nats)", "layer"), "heads.entropy"),
    "overview": ({}, ("layer", "head"), "maps"),
    "heads": ({}, ("Entropy", "Previous token"), "heads.entropy"),
    "embeddings": ({}, ("“apple” in minilm · layer 3", "banana", "static vector"), "points.x"),
    "layers": (
        {},
        ("“apple” in minilm · by layer", "Separation by sense", "Similarity to “Google”"),
        "measures.separation",
    ),
    "similarity": ({}, ("“apple” in minilm · layer 3", "occurrence, by sentence", "0.92"), "cosine"),
    "meaning": ({}, ("what it means now", "macintosh", "peach"), "words.value"),
    "pull": ({}, ("sentence 1 · minilm · layer 3 · all heads", "punctuation"), "arrows.value_norm"),
    "positions": (
        {},
        ("Where position enters minilm · learned", "+ position", "static vector"),
        "parts.static.length",
    ),
    "worksheet": ({**PLACE, "key": "0", "before": True}, ("apple·2", "announced", "dimension of the head"), "weights"),
    "points": (
        {**PLACE, "rope": "before", "align": True, "least": 0.35, "first": False, "texts": "I ate fish & 50%."},
        ("fish", "principal component 1"),
        "points.x",
    ),
    "matrices": (
        {**PLACE, "map": "key", "first": False, "share": 0.25},
        ("she", "Key map", "principal component 2"),
        "plane_map",
    ),
    "mask": ({**PLACE, "other_model": "minilm"}, ("announced", "[SEP]", "query (attends)"), "attention"),
    "contributions": (PLACE, ("head 11", "sum", "dimension of the residual stream"), "outputs"),
    "cost": (
        {"head": 3, "tokens": 1000, "batch": 2, "precision": "int8", "sharing": "4"},
        ("grouped, 4", "context length (tokens)"),
        "lengths",
    ),
}


@pytest.fixture(scope="module", params=VIEWS)
def view(request: pytest.FixtureRequest, session: Session, folder: Folder) -> ComputedView:
    name = request.param
    settings = CASES[name][0]
    if VIEWS[name].page.name == "heads":
        settings = {"model": str(folder("bert")), "text": "A dog ate.", "pair": PAIR}
    return computed(session, name, **settings)


@pytest.fixture(scope="module")
def files(session: Session, view: ComputedView, draw: Draw) -> dict[str, bytes]:
    return {kind: saved(session, view, kind, Saving(dots=1), draw) for kind in FORMATS}


def test_every_file_tells_what_made_it(session: Session, view: ComputedView, files: dict[str, bytes]) -> None:
    name = view.spec.name
    assert set(files) == {"png", "svg", "pdf", "html", "csv", "json", "npz"}
    for kind, data in files.items():
        told = read_provenance(data, f"x.{kind}")
        assert (told["kind"], told["link"]) == (name, link_of(view))
        assert told["model"] == view.settings.as_dict()["model"]
        assert ("figure" in told) == (kind in DRAWINGS)
    again, remarks = computed_at(session, f"{link_of(view)}&kind={name}" if "?" in link_of(view) else link_of(view))
    assert (again.settings, to_json(again.result()), remarks) == (view.settings, to_json(view.result()), ())


def test_a_picture_and_a_drawing_show_the_view(view: ComputedView, files: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(files["png"])) as picture:
        assert picture.width > 200
        assert len(picture.convert("RGB").getcolors(10_000_000) or []) > 20
    root = ElementTree.fromstring(files["svg"])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    (page,) = PdfReader(io.BytesIO(files["pdf"])).pages
    labels = " ".join("".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text"))
    for text in (labels, page.extract_text()):
        spaceless = "".join(unicodedata.normalize("NFKC", text).split())  # "fi" may be one sign
        for label in CASES[view.spec.name][1]:
            assert "".join(label.split()) in spaceless, label


class _Text(HTMLParser):
    """What a page shows, without what its scripts hold."""

    said, inside = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.said += data


def test_a_page_says_how_to_make_it_again_and_fetches_nothing(view: ComputedView, files: dict[str, bytes]) -> None:
    page, shown = files["html"].decode(), _Text()
    shown.feed(page)
    assert "explorer.view(" in shown.said
    assert f"kind='{view.spec.name}'" in html.unescape(page)
    assert 'src="http' not in page
    assert "https://" not in page.partition("<body>")[0]


def test_csv_has_the_table_and_json_and_npz_the_numbers(view: ComputedView, files: dict[str, bytes]) -> None:
    header, *rows = csv.reader(io.StringIO(files["csv"].decode(), newline=""))
    assert tuple(header[:-1]) == view.table().header  # the last column's name is the record
    assert len(rows) == len(view.table().rows)
    told = json.loads(files["json"])
    assert told["kind"] == view.spec.name
    assert list(told) == [*view.result(), "provenance"]
    with np.load(io.BytesIO(files["npz"]), allow_pickle=False) as arrays:
        assert CASES[view.spec.name][2] in arrays
        numbers = {name: arrays[name] for name in arrays if arrays[name].dtype.kind in "fi"}
        for name, values in numbers.items():
            np.testing.assert_allclose(values, np.array(_under(told, name), dtype=float), err_msg=name)


def _under(part: Any, name: str) -> Any:
    """What stands under a dotted name in JSON; of a list of rows their column."""
    for key in name.split("."):
        part = [row.get(key) for row in part] if isinstance(part, list) else part[key]
    return part


@pytest.mark.parametrize(
    ("name", "figure", "said"),
    [("embeddings", "scree", "% of the variance"), ("pull", "heads", "how far each head moves it")],
)
def test_a_further_figure_is_drawn(session: Session, draw: Draw, name: str, figure: str, said: str) -> None:
    drawn = saved(session, computed(session, name), "svg", Saving(figure), draw)
    assert said in " ".join(ElementTree.fromstring(drawn).itertext())
