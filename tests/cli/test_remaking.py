"""Every view that the page saves is made again by the session that the command makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import explorer
from explorer.saving.save import saved
from explorer.session import session as shelf
from explorer.session.session import Session
from explorer.views.registry import VIEWS
from tests.cli.shell import Command

# A second text that the model reads, and a target that was typed for another model.
TYPED = {"text": "She ate an apple.", "pair": "He slept.", "target": "Sie aß."}
WORD = {
    "word": "apple",
    "anchors": "fruit",
    "sentences": "a | An apple a day.\na | A ripe apple fell.\nb | apple sells phones.\nb | He works at apple.",
}
CHOSEN: dict[str, dict[str, Any]] = {
    "comparison": {"other_model": "smollm2"},
    "heads": {"nulls": True, "query": "2", "key": "4"},
    "points": {"texts": "He slept."},
    "mask": {"pair": ""},
}


@pytest.fixture(scope="module")
def page() -> Session:
    """A session as the page has it."""
    return Session(device="cpu")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_the_page_is_made_again(
    name: str,
    page: Session,
    run: Command,
    tmp_path: Path,
    smollm2: explorer.LoadedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded = shelf.load_model
    monkeypatch.setattr(
        shelf,
        "load_model",
        lambda name, *given, **more: smollm2 if name == "smollm2" else loaded(name, *given, **more),
    )
    view = VIEWS[name]
    settings = view.settings.of({**TYPED, **WORD, **CHOSEN.get(name, {})})
    path = tmp_path / "view.json"
    path.write_bytes(saved(page, view.make(page, settings), "json"))
    told = json.loads(path.read_text(encoding="utf-8"))["provenance"]
    ended = run("remake", str(path), "--json")
    assert (ended.status, ended.err) == (0, "")
    found = json.loads(ended.out)
    assert (found["kind"], found["agrees"], found["mismatches"]) == (name, True, [])
    assert found["difference"] < 1e-6
    second = told.get("other", {}).get("model", "")
    assert second == ("smollm2" if name in ("comparison", "mask") else "")
    if "target" in view.settings.defaults():
        assert (told["settings"]["pair"], told["settings"]["target"]) == (settings.as_dict()["pair"], "")
        assert "target=" not in told["link"]
