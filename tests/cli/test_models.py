"""The command ``models``."""

from __future__ import annotations

import json

import pytest

from explorer.models import bundled, hub
from tests.cli.shell import Command


def test_json(run: Command) -> None:
    listed = json.loads(run("models", "--json").out)
    assert [row["name"] for row in listed[:3]] == ["minilm", "smollm2", "google-bert/bert-base-uncased"]
    assert listed[1] == {
        "name": "smollm2",
        "source": "bundled",
        "family": "llama",
        "layers": 30,
        "heads": 9,
        "kv_heads": 3,
        "available": "bundled",
    }
    assert len(listed) == 2 + len(hub.PRESETS)
    assert {row["available"] for row in listed[2:]} == {"hub"}
    assert all(row["heads"] == row["kv_heads"] for row in listed[2:])


def test_table(run: Command) -> None:
    header, *rows = run("models").out.splitlines()
    assert header.split() == ["name", "source", "family", "layers", "heads", "kv_heads", "available"]
    (small,) = [row.split() for row in rows if row.startswith("smollm2")]
    assert small == ["smollm2", "bundled", "llama", "30", "9", "3", "bundled"]


def test_cached_and_missing(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "is_cached", lambda repo: repo == "openai-community/gpt2")
    monkeypatch.setattr(bundled, "is_installed", lambda _name: False)
    listed = {row["name"]: row["available"] for row in json.loads(run("models", "--json").out)}
    assert listed["openai-community/gpt2"] == "cached"
    assert listed["distilbert/distilgpt2"] == "hub"
    assert listed["minilm"] == "not installed"
