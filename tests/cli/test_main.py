"""How any command ends, what help says, and what only a process of its own shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

import explorer
from explorer.cli import heatmap, loading
from tests.cli.shell import ROOT, Command, Run, process


def test_out_of_memory_is_a_failure(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise explorer.ModelError("out of memory while loading x")

    monkeypatch.setattr(loading, "load_model", lambda *_arguments, **_more: fail())
    ended = run("heatmap", "hi", "--layer", "0", "--head", "0")
    assert (ended.status, ended.complaint) == (1, "out of memory while loading x")


@pytest.mark.parametrize("error", [RuntimeError("two\nlines"), KeyError("x"), AssertionError()])
def test_a_mistake_of_ours_is_one_line_too(
    run: Command, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_arguments: Any, **_more: Any) -> None:
        raise error

    monkeypatch.setattr(heatmap, "head_map", fail)
    ended = run("heatmap", "hi", "--layer", "0", "--head", "0")
    assert ended.status == 1
    assert ended.complaint.startswith(f"unexpected {type(error).__name__}")


def test_ctrl_c(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "load_model", interrupt)
    ended = run("heatmap", "hi", "--layer", "0", "--head", "0")
    assert ended == Run(130, "", "")


def test_serve_is_the_pages(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer import web

    served: list[tuple[str, int]] = []
    monkeypatch.setattr(web, "serve", lambda host, port: served.append((host, port)))
    assert run("serve", "--port", "8061").status == 0
    assert run("serve", "--host", "0.0.0.0").status == 0
    assert served == [("127.0.0.1", 8061), ("0.0.0.0", 8050)]
    assert "less than or equal to 65535" in run("serve", "--port", "70000").complaint

    def busy(_host: str, _port: int) -> None:
        raise ValueError("cannot listen on 127.0.0.1:8050 (Address already in use)")

    monkeypatch.setattr(web, "serve", busy)
    assert run("serve").status == 2


@pytest.mark.parametrize("command", ["models", "heatmap", "heads", "embeddings", "check", "serve"])
def test_help_shows_an_example_that_parses(
    run: Command, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = run(command, "--help").out
    (example,) = [
        line.split("python -m explorer ")[1]
        for line in shown.splitlines()
        if line.startswith("    python -m explorer")
    ]
    assert example.split()[0] == command
    options = {word for word in example.split() if word.startswith("-")}
    assert options <= set(shown.replace(",", " ").split())


def test_without_a_command_help_is_shown(run: Command) -> None:
    ended = run()
    assert ended.status == 0
    assert all(
        name in ended.out for name in ("models", "heatmap", "heads", "embeddings", "check", "serve")
    )
    assert run("nonsense").complaint == "No such command 'nonsense'."


class TestProcess:
    """What only a process of its own shows."""

    def test_heatmap_to_a_pipe_in_any_locale(self) -> None:
        ended = process(
            "heatmap", "-", "--layer", "0", "--head", "0", input="Straße 🍎".encode(),
            env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert json.loads(ended.stdout.decode("utf-8"))["text"] == "Straße 🍎"

    def test_a_reader_that_has_seen_enough(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        ended = subprocess.run(
            [sys.executable, "-m", "explorer", "models", "--json"],
            cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False,
        )  # fmt: skip
        os.close(writing)
        assert (ended.returncode, ended.stderr) == (1, b"")
