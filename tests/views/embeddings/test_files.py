"""The views of a word: their links, their fields on the page, and every format of their files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from plotly.utils import PlotlyJSONEncoder
from pypdf import PdfReader

from explorer.app import address
from explorer.saving.files import DRAWINGS, FORMATS
from explorer.saving.formats import to_json
from explorer.saving.metadata import read_provenance
from explorer.saving.rendering import Draw, renderer
from explorer.saving.save import Saving, saved
from explorer.session.session import Session
from explorer.text.example_sets import EXAMPLE_SETS
from explorer.text.sentences import sentences_text
from explorer.views.embeddings import PAGE, VIEWS
from explorer.views.embeddings import panel as embeddings
from explorer.views.registry import link_to_view, view_at
from explorer.views.spec import ViewSpec
from tests.computing import computed, computed_at, link_of

COMMON = {
    "model": "smollm2",
    "word": "bat",
    "sentences": "a | A bat + a “bat”.\n| 50% bat & ball",
    "match_case": True,
    "inside": True,
    "which": "last",
    "echo": True,
    "anchors": "bird, ball",
    "layer": 5,
}
FIT = {"basis": "all", "normalise": "unit", "method": "pca", "axes": 3, "drop_first": True}
# Every setting of each view as it does not begin.
CHANGED: dict[str, dict[str, Any]] = {
    "embeddings": {**FIT, "arrows": False, "paths": True, "anchors_shown": False, "others": True},
    "layers": {},
    "similarity": {"values": "corrected"},
    "meaning": {"meaning_of": "sense:a", "read_by": "static"},
    "pull": {**FIT, "pull_on": 3, "head": "7", "arrow_length": "true"},
    "positions": {"positions_of": 4},
}
# What the chief figure of each view says somewhere.
SAID = {
    "embeddings": ("“apple” in minilm · layer 3", "banana", "static vector"),
    "layers": ("“apple” in minilm · by layer", "Separation by sense", "Similarity to “Google”"),
    "similarity": ("“apple” in minilm · layer 3", "occurrence, by sentence", "0.92"),
    "meaning": ("what it means now", "macintosh", "peach"),
    "pull": ("sentence 1 · minilm · layer 3 · all heads", "punctuation"),
    "positions": ("Where position enters minilm · learned", "+ position", "static vector"),
}


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(device="cpu")


@pytest.fixture(scope="module")
def draw() -> Iterator[Draw]:
    with renderer() as own:
        yield own


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
class TestLinks:
    def test_every_setting_survives_a_link(self, view: ViewSpec) -> None:
        settings = view.settings.of({**COMMON, **CHANGED[view.name]})
        defaults = view.settings.defaults()
        unchanged = {name for name, value in settings.as_dict().items() if value == defaults[name]}
        # t-SNE takes the other bases away; "layers" is asked for by commands.
        assert unchanged <= {"method", "layers"}
        found, again, remarks = view_at(link_to_view(view, settings))
        assert (found, again, remarks) == (view, settings, ())
        types = {name: type(value) for name, value in again.as_dict().items()}
        assert types == {name: type(value) for name, value in defaults.items()}

    def test_a_link_alone_makes_the_same_numbers(self, session: Session, view: ViewSpec) -> None:
        rows = EXAMPLE_SETS["bat"].rows[:3] + EXAMPLE_SETS["bat"].rows[6:9]
        values = {
            **CHANGED[view.name],
            "word": "bat",
            "sentences": sentences_text(rows),
            "layer": 2,
            "anchors": "bird",
            "meaning_of": "sense:sport",
        }
        first = computed(session, view.name, **values)
        again, remarks = computed_at(Session(device="cpu"), link_of(first))
        assert remarks == ()
        assert (again.spec, again.settings) == (view, first.settings)
        assert to_json(again.result()) == to_json(first.result())
        assert again.table() == first.table()
        result = json.loads(to_json(first.result()))
        assert result["kind"] == view.name
        assert result["settings"]["anchors"] == ["bird"]
        assert "torch" in result["versions"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("word=", "the word is empty"),
        ("sentences=", "there is no sentence"),
        ("word=zebra", "“zebra” is in none of the 12 sentences"),
        ("layer=9", "layer 9 is out of range: minilm has layers 0 to 6"),
        ("which=middle", "which=middle is not a choice: use all, first, last"),
        ("basis=own", "basis=own is not a choice: use layer, all, vocabulary"),
        ("axes=4", "axes=4 is not a choice: use 2, 3"),
        ("method=umap", "method=umap is not a choice: use pca, tsne"),
        ("anchors=a,b,c,d,e,f,g,h,i,j,k,l,m", "13 anchor words; at most 12"),
        ("mode=layers&layer=-1", "layer -1 is out of range"),
        ("mode=similarity&values=dots", "values=dots is not a choice: use cosine, corrected"),
        ("mode=meaning&meaning_of=sense:pear", "meaning_of=sense:pear is not a place of “apple”"),
        ("mode=meaning&read_by=ear", "read_by=ear is not a choice: use head, static"),
        ("mode=pull&pull_on=12", "pull_on=12 is not a place of “apple”: use 0 to 11"),
        ("mode=pull&head=12", "head=12 is not a choice"),
        ("mode=pull&arrow_length=long", "arrow_length=long is not a choice: use seen, true"),
        ("mode=positions&positions_of=-1", "positions_of=-1 is not a place of “apple”"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(session: Session, query: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        computed_at(session, f"/embeddings?{query}")
    assert "\n" not in str(error.value)


class _Text(HTMLParser):
    """What a page shows, without what its scripts hold."""

    said, inside = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.said += data


def _read(kind: str, data: bytes) -> str:
    """What a reader of the format finds to read in a file."""
    if kind == "png":
        with Image.open(io.BytesIO(data)) as image:
            assert len(image.convert("RGB").getcolors(10_000_000) or []) > 50
        return ""
    if kind == "svg":
        return " ".join(ElementTree.fromstring(data).itertext())
    if kind == "pdf":
        (page,) = PdfReader(io.BytesIO(data)).pages
        return page.extract_text()
    if kind == "html":
        page_text = _Text()
        page_text.feed(data.decode())
        assert "explorer.view(" in page_text.said  # how to make it again
        return page_text.said
    if kind == "json":
        return str(json.loads(data))
    if kind == "csv":
        return str(list(csv.reader(io.StringIO(data.decode(), newline=""))))
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return " ".join(f"{name} {arrays[name].shape}" for name in arrays)


@pytest.mark.parametrize("name", SAID)
def test_every_format_opens_and_says_what_it_shows(session: Session, draw: Draw, name: str) -> None:
    view = computed(session, name)
    for kind in FORMATS:
        data = saved(session, view, kind, Saving(dots=1), draw)
        read = _read(kind, data)
        if kind in ("svg", "pdf"):
            flat = "".join(read.split())
            for part in SAID[name]:
                assert "".join(part.split()) in flat, (kind, part)
        told = read_provenance(data, f"x.{kind}")
        assert (told["kind"], told["link"]) == (name, link_of(view))
        assert ("figure" in told) == (kind in DRAWINGS)


def test_every_further_figure_is_drawn(session: Session, draw: Draw) -> None:
    for name, figure, said in (
        ("embeddings", "scree", "% of the variance"),
        ("pull", "heads", "how far each head moves it"),
    ):
        drawn = saved(session, computed(session, name), "svg", Saving(figure), draw)
        assert said in _read("svg", drawn)


class TestPage:
    """The fields of the page are the settings of its views."""

    def _sent(self, layout: Any) -> Any:
        return json.loads(json.dumps(layout, cls=PlotlyJSONEncoder))

    def test_fields_begin_as_the_settings_do(self) -> None:
        defaults = embeddings.in_fields(address.settings_of(PAGE))
        filled = address.filled(embeddings.layout(), address.fields_of(PAGE), defaults)
        assert self._sent(filled) == self._sent(embeddings.layout())

    def test_every_setting_has_its_field(self) -> None:
        fields = address.fields_of(PAGE)
        assert set(fields) == set(address.settings_of(PAGE)) - {"model"}
        sent = json.dumps(embeddings.layout(), cls=PlotlyJSONEncoder)
        for name, field in fields.items():
            # "layers" is asked for by commands.
            assert sent.count(f'"id": "{field}"') == (name != "layers"), field

    def test_every_view_has_its_mode_and_store(self) -> None:
        layout = self._sent(embeddings.layout())
        held = {one["props"]["id"]: one["props"] for one in _components(layout) if "id" in one["props"]}
        assert [one["value"] for one in held["embeddings-mode"]["data"]] == [view.name for view in VIEWS]
        sent = json.dumps(layout)
        for view in VIEWS:
            assert sent.count(f'"id": "{view.state}"') == 1
            assert sent.count(f'"id": "embeddings-{view.name}-part"') == 1

    def test_settings_fill_them(self) -> None:
        changed = {name: value for part in CHANGED.values() for name, value in part.items()}
        state = {**address.settings_of(PAGE), **COMMON, **changed, "mode": "pull"}
        layout = address.filled(embeddings.layout(), address.fields_of(PAGE), state)
        held = {one["props"]["id"]: one["props"] for one in _components(self._sent(layout)) if "id" in one["props"]}
        for name, field in address.fields_of(PAGE).items():
            if name == "layers":
                continue
            props = held[field]
            value = props["checked"] if isinstance(state[name], bool) else props["value"]
            assert str(value) == str(state[name]), name


def _components(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "props" in part:
            yield part
        for value in part.values():
            yield from _components(value)
    elif isinstance(part, list):
        for value in part:
            yield from _components(value)
