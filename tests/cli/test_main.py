"""How any command ends, what help says, and what only a process of its own shows."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfWriter

import explorer
from explorer.saving.browser_session import BrowserSession
from explorer.session import session as shelf
from explorer.views.heads.heatmap import compute as heatmap
from tests.cli.shell import ROOT, Command, Run, process


def test_out_of_memory_is_a_failure(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise explorer.ModelError("out of memory while loading x")

    monkeypatch.setattr(shelf, "load_model", lambda *_arguments, **_more: fail())
    ended = run("heatmap", "hi", "--layer", "0", "--head", "0")
    assert (ended.status, ended.complaint) == (1, "out of memory while loading x")


@pytest.mark.parametrize("error", [RuntimeError("two\nlines"), KeyError("x"), AssertionError()])
def test_a_mistake_of_ours_is_one_line_too(run: Command, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_arguments: Any, **_more: Any) -> None:
        raise error

    monkeypatch.setattr(heatmap, "head_map", fail)
    ended = run("heatmap", "hi", "--layer", "0", "--head", "0")
    assert ended.status == 1
    assert ended.complaint.startswith(f"unexpected {type(error).__name__}")


def test_ctrl_c(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(shelf, "load_model", interrupt)
    ended = run("heatmap", "hi", "--layer", "0", "--head", "0")
    assert ended == Run(130, "", "")


def test_serve_is_the_pages(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.app import server as web

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


COMMANDS = ("models", "heatmap", "heads", "embeddings", "worksheet", "view", "remake", "check", "serve")


def drawn(_browser: BrowserSession[Any], _job: object, made: str, _doing: str) -> bytes:
    """What a browser would draw: an empty page as PDF, an empty picture, or an empty drawing."""
    file = io.BytesIO()
    if "PNG" in made:
        Image.new("RGB", (1, 1)).save(file, "PNG")
        return file.getvalue()
    if "PDF" not in made:
        return b'<svg width="1" height="1"></svg>'
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(file)
    return file.getvalue()


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_examples_work_when_pasted(
    run: Command, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Line by line in one folder; what needs a browser is drawn in tests/browser/."""
    from explorer.app import server as web

    monkeypatch.setattr(BrowserSession, "do", drawn)
    monkeypatch.setattr(web, "serve", lambda _host, _port: None)
    shown = run(*filter(None, [command]), "--help").out
    _, _, after = shown.partition("Example")
    pasted = after.partition(":\n")[2].partition("\n\n")[0].replace("|\n", "| ")
    monkeypatch.chdir(tmp_path)
    ran = set()
    for line in pasted.splitlines():
        piped, _, asked = line.strip().partition(">")[0].rpartition("|")
        if not asked.strip().startswith("python -m explorer "):
            subprocess.run(["/bin/sh", "-c", line], check=True)
            continue
        given = subprocess.run(["/bin/sh", "-c", piped], capture_output=True, check=True).stdout
        arguments = shlex.split(asked)[3:]
        ended = run(*arguments, stdin=given)
        assert ended.status == 0, ended.err
        ran.add(arguments[0])
    assert ran >= ({command} if command else {"models", "heatmap"})


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_plain_and_whole(run: Command, command: str) -> None:
    lines = run(*filter(None, [command]), "--help").out.splitlines()
    assert lines[0].startswith(f"Usage: python -m explorer {command}".rstrip())
    assert lines[2].endswith(".")  # one sentence says what it is for
    assert all(len(line) <= 100 for line in lines)
    assert not [line for line in lines if line.startswith("  ") and line.endswith("...")]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["heatmap", "--help"], ["worksheet"]])
def test_what_only_tells_imports_nothing_large(arguments: list[str]) -> None:
    program = (
        "import sys; sys.argv = ['attention-explorer', *sys.argv[1:]]\n"
        "from explorer.cli.main import main\n"
        "main()\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'plotly', 'rich', 'dash', 'kaleido', "
        "'sklearn', 'huggingface_hub'} & sys.modules.keys()))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


def test_without_a_command_help_is_shown(run: Command) -> None:
    ended = run()
    assert ended.status == 0
    assert all(name in ended.out for name in ("models", "heatmap", "heads", "embeddings", "check", "serve"))
    assert run("nonsense").complaint == "No such command 'nonsense'."


class TestProcess:
    """What only a process of its own shows."""

    def test_heatmap_to_a_pipe_in_any_locale(self) -> None:
        ended = process(
            "heatmap",
            "-",
            "--layer",
            "0",
            "--head",
            "0",
            input="Straße 🍎".encode(),
            env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        )
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert json.loads(ended.stdout.decode("utf-8"))["text"] == "Straße 🍎"

    def test_a_reader_that_has_seen_enough(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        ended = subprocess.run(
            [sys.executable, "-m", "explorer", "models", "--json"],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        os.close(writing)
        assert (ended.returncode, ended.stderr) == (1, b"")
