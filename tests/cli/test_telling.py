"""The bar that a terminal sees while work goes on; a pseudo terminal stands for one."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.cli.telling import progress
from tests.cli.shell import ROOT, plain


def seen_on_a_terminal(*arguments: str) -> tuple[int, str]:
    """The status of a command, and what it wrote to a terminal as its standard error."""
    leader, follower = pty.openpty()
    ended = subprocess.Popen(
        [sys.executable, "-m", "explorer", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:  # how a terminal ends that no process has open
            break
        if not part:
            break
        seen += part
    os.close(leader)
    return ended.wait(60), plain(seen.decode("utf-8"))


class TestTerminal:
    """What only a process of its own shows."""

    def test_a_bar_over_the_texts_and_the_error_that_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "texts.txt"
        path.write_text(f"She slept.\n{'apple ' * 600}\nThey left at once.\n", encoding="utf-8")
        status, seen = seen_on_a_terminal("heads", "--from", str(path))
        assert status == 1
        assert "loading" in seen
        assert re.search(r"text \d of 3 [━╸╺]+ +\d+%", seen)
        assert seen.splitlines()[-1].startswith("error: text 2 (")

    def test_none_when_quiet(self) -> None:
        assert seen_on_a_terminal("heads", "She slept.", "--quiet") == (0, "")


def test_shares_and_what_has_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with progress(False, "starting") as tell:
        assert tell is not None
        tell("first", 0.5)
        tell("no share", None)
        tell("then [SEP]", 0.25)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(r"then \[SEP\] [━╸╺]+ +25%", plain(err).splitlines()[-2])
    with progress(True, "starting") as tell:
        assert tell is None
