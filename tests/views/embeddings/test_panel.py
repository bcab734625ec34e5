"""The Embeddings page: its fields are the settings of its views, and what they cannot show is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder

from explorer.app import address
from explorer.session.session import Session
from explorer.views.embeddings import PAGE, VIEWS
from explorer.views.embeddings import panel as embeddings
from tests.computing import computed_at

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
