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
from explorer.session.links import given_in
from explorer.session.session import Session
from explorer.text.example_sets import EXAMPLE_SETS
from explorer.text.sentences import sentences_text
from explorer.views.embeddings import panel as embeddings
from explorer.views.registry import KINDS, exhibit_of, state_for

OF_WORDS = [kind for kind in KINDS.values() if kind.path == "/embeddings"]
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
    "by_layer": {},
    "similarity": {"values": "corrected"},
    "meaning": {"meaning_of": "sense:a", "read_by": "static"},
    "pull": {**FIT, "pull_on": 3, "head": "7", "arrow_length": "true"},
    "positions": {"positions_of": 4},
}
# What the chief figure of each view says somewhere.
SAID = {
    "embeddings": ("“apple” in minilm · layer 3", "banana", "static vector"),
    "by_layer": ("“apple” in minilm · by layer", "Separation by sense", "Similarity to “Google”"),
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


@pytest.mark.parametrize("kind", OF_WORDS, ids=lambda kind: kind.name)
class TestLinks:
    def test_every_setting_survives_a_link(self, kind: Any) -> None:
        state = {**kind.defaults, **COMMON, **CHANGED[kind.name], "mode": kind.mode}
        kept = [name for name in kind.defaults if state[name] == kind.defaults[name]]
        # t-SNE takes the other bases away; "layers" is asked for by commands.
        assert set(kept) <= {"mode", "method", "layers"}
        parsed = parse(given_in(kind.link(state)), kind.defaults)
        assert parsed.remarks == ()
        assert parsed.state == state
        assert {name: type(value) for name, value in parsed.state.items()} == {
            name: type(value) for name, value in kind.defaults.items()
        }

    def test_a_link_alone_makes_the_same_numbers(self, session: Session, kind: Any) -> None:
        rows = EXAMPLE_SETS["bat"].rows[:3] + EXAMPLE_SETS["bat"].rows[6:9]
        told = {
            **CHANGED[kind.name],
            "word": "bat",
            "sentences": sentences_text(rows),
            "layer": 2,
            "anchors": "bird",
            "meaning_of": "sense:sport",
        }
        exhibit = kind.make(session, state_for(kind, told))
        again, _ = exhibit_of(Session(device="cpu"), exhibit.link)
        assert again.state == exhibit.state
        assert to_json(again.result()) == to_json(exhibit.result())
        assert again.table() == exhibit.table()
        result = json.loads(to_json(exhibit.result()))
        assert result["kind"] == kind.name
        assert result["settings"]["anchors"] == ["bird"]
        assert "torch" in result["versions"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("word=", "the word is empty"),
        ("sentences=", "there is no sentence"),
        ("word=zebra", "“zebra” is in none of the 12 sentences"),
        ("layer=9", "layer 9 is out of range: minilm has layers 0 to 6"),
        ("which=middle", "unknown choice 'middle'"),
        ("basis=own", "unknown basis 'own'"),
        ("axes=4", "axes=4 is no choice: use 2, 3"),
        ("method=umap", "method=umap is no choice: use pca, tsne"),
        ("anchors=a,b,c,d,e,f,g,h,i,j,k,l,m", "13 anchor words; at most 12"),
        ("mode=layers&layer=-1", "layer -1 is out of range"),
        ("mode=similarity&values=dots", "values=dots is no choice: use cosine, corrected"),
        ("mode=meaning&meaning_of=sense:pear", "meaning_of=sense:pear is no place of “apple”"),
        ("mode=meaning&read_by=ear", "read_by=ear is no choice: use head, static"),
        ("mode=pull&pull_on=12", "pull_on=12 is no place of “apple”: use 0 to 11"),
        ("mode=pull&head=12", "head=12 is no choice"),
        ("mode=pull&arrow_length=long", "arrow_length=long is no choice: use seen, true"),
        ("mode=positions&positions_of=-1", "positions_of=-1 is no place of “apple”"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(session: Session, query: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        exhibit_of(session, f"/embeddings?{query}")
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
    exhibit = KINDS[name].make(session, state_for(KINDS[name], {}))
    for kind in FORMATS:
        data = saved(session, exhibit, kind, Saving(dots=1), draw)
        read = _read(kind, data)
        if kind in ("svg", "pdf"):
            flat = "".join(read.split())
            for part in SAID[name]:
                assert "".join(part.split()) in flat, (kind, part)
        told = read_provenance(data, f"x.{kind}")
        assert (told["kind"], told["link"]) == (name, exhibit.link)
        assert ("figure" in told) == (kind in DRAWINGS)


def test_every_further_figure_is_drawn(session: Session, draw: Draw) -> None:
    for name, figure, said in (
        ("embeddings", "scree", "% of the variance"),
        ("pull", "heads", "how far each head moves it"),
    ):
        exhibit = KINDS[name].make(session, state_for(KINDS[name], {}))
        drawn = saved(session, exhibit, "svg", Saving(figure), draw)
        assert said in _read("svg", drawn)


class TestPage:
    """The fields of the page are the settings of its views."""

    def _sent(self, layout: Any) -> Any:
        return json.loads(json.dumps(layout, cls=PlotlyJSONEncoder))

    def test_fields_begin_as_the_settings_do(self) -> None:
        defaults = embeddings.in_fields(address.settings_of(embeddings))
        filled = address.filled(embeddings.layout(), embeddings.ADDRESS, defaults)
        assert self._sent(filled) == self._sent(embeddings.layout())

    def test_every_setting_has_its_field(self) -> None:
        settings = address.settings_of(embeddings)
        assert set(embeddings.ADDRESS) == set(settings) - {"model", "layers"}
        sent = json.dumps(embeddings.layout(), cls=PlotlyJSONEncoder)
        for field in embeddings.ADDRESS.values():
            assert sent.count(f'"id": "{field}"') == 1, field

    def test_every_view_has_its_mode_store_and_kind(self) -> None:
        kinds = {kind.mode: (kind.name,) for kind in OF_WORDS}
        assert {mode: shown.kinds for mode, shown in embeddings.SHOWN.items()} == kinds
        sent = json.dumps(embeddings.layout(), cls=PlotlyJSONEncoder)
        for mode, shown in embeddings.SHOWN.items():
            assert sent.count(f'"id": "{shown.store}"') == 1
            assert sent.count(f'"id": "embeddings-{mode}"') == 1

    def test_a_state_fills_them(self) -> None:
        changed = {name: value for part in CHANGED.values() for name, value in part.items()}
        state = {**address.settings_of(embeddings), **COMMON, **changed, "mode": "pull"}
        layout = address.filled(embeddings.layout(), embeddings.ADDRESS, state)
        held = {one["props"]["id"]: one["props"] for one in _components(self._sent(layout)) if "id" in one["props"]}
        for name, field in embeddings.ADDRESS.items():
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
