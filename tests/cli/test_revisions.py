"""Each model of a view has a revision of its own, from whatever makes the view again."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import explorer
from explorer import notebook
from explorer.session import session as shelf
from explorer.session.session import Session
from tests.cli.shell import Command
from tests.conftest import Loader

ONE, TWO = "owner/one", "owner/two"
COMMITS = {"v1": "c1", "v2": "c2", "c1": "c1", "c2": "c2"}
NAMED = {
    "comparison": f"/?mode=comparison&model={ONE}&other_model={TWO}&text=A%20dog%20ran.",
    "mask": f"/inside?mode=mask&model={ONE}&other_model={TWO}&text=A%20dog%20ran.&query=2",
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, run: Command, tiny: Loader) -> list[tuple[str, Any]]:
    """Two models of a hub, each with commits of its own, and which revisions are asked for."""
    found: list[tuple[str, Any]] = []

    def load(name: str, _device: str, _dtype: str, revision: str | None, **_more: Any) -> explorer.LoadedModel:
        found.append((name, revision))
        model = tiny("bert" if name == ONE else "distilbert")
        return replace(model, name=name, revision=COMMITS[revision or "v1"])

    monkeypatch.setattr(shelf, "load_model", load)
    notebook._session.cache_clear()
    return found


@pytest.mark.parametrize("kind", NAMED)
def test_each_model_is_asked_for_by_its_own(
    kind: str, run: Command, asked: list[tuple[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pinned = ("--revision", "v1", "--other-revision", "v2", "-o", "first.json")
    assert run("view", NAMED[kind], "--kind", kind, *pinned).status == 0
    assert asked == [(ONE, "v1"), (TWO, "v2")]
    told = json.loads(Path("first.json").read_text(encoding="utf-8"))["provenance"]
    assert (told["revision"], told["other"]["revision"]) == ("c1", "c2")

    asked.clear()
    ended = run("remake", "first.json", "--json")
    assert (ended.status, json.loads(ended.out)["remarks"]) == (0, [])
    assert asked == [(ONE, "c1"), (TWO, "c2")]

    asked.clear()
    _python, _m, _explorer, *words = shlex.split(told["command"])
    assert run(*words).status == 0
    assert asked == [(ONE, "c1"), (TWO, "c2")]

    asked.clear()
    exec("\n".join(told["python"]), {})
    assert asked == [(ONE, "c1"), (TWO, "c2")]


def test_a_plain_revision_is_of_the_first_model(run: Command, asked: list[tuple[str, Any]]) -> None:
    assert run("view", NAMED["comparison"], "--revision", "v2").status == 0
    assert asked == [(ONE, "v2"), (TWO, None)]
    cap = explorer.capture(Session(revisions={ONE: "v1"}).model(ONE), "A dog ran.")
    asked.clear()
    explorer.view(cap, "comparison", other_model=TWO, other_revision="v2")
    assert asked == [(TWO, "v2")]


def test_a_revision_of_no_model_is_refused(run: Command) -> None:
    ended = run("view", "/?mode=comparison", "--other-revision", "v2")
    assert ended.status == 2
    assert ended.complaint == "comparison has no second model here for the revision v2"
    assert run("view", "/", "--other-revision", "v2").status == 2
