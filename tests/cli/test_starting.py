"""Ctrl-C while Python imports: each time a module sends it that stands before the one meant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ROOT

INTERRUPT = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
CATCHING = "try:\n    import explorer\nexcept KeyboardInterrupt:\n    print('caught')\n"


def python(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Status, output and errors of a Python that looks for modules in a folder first."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder)},
        preexec_fn=_hearing_ctrl_c,
    )
    return ended.returncode, ended.stdout, ended.stderr


def _hearing_ctrl_c() -> None:
    """Whoever runs the tests may ignore it, as pytest-xdist's workers do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("module", ["torch", "typer"])
@pytest.mark.parametrize("program", [["-m", "explorer"], ["-W", "error", "-mexplorer"]])
def test_the_program_ends_quietly(tmp_path: Path, module: str, program: list[str]) -> None:
    """torch is imported by the command, typer by ``__main__``."""
    (tmp_path / f"{module}.py").write_text(INTERRUPT)
    assert python(tmp_path, *program, "heads", "hi") == (130, "", "")


def test_who_imports_the_library_may_catch_it(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(INTERRUPT)
    assert python(tmp_path, "-c", CATCHING) == (0, "caught\n", "")


def test_another_program_may_catch_it(tmp_path: Path) -> None:
    """Which imports explorer while Python is still on the way to its ``__main__``."""
    (tmp_path / "torch.py").write_text(INTERRUPT)
    other = tmp_path / "other"
    other.mkdir()
    (other / "__init__.py").write_text(CATCHING)
    (other / "__main__.py").write_text("")
    assert python(tmp_path, "-m", "other", "explorer") == (0, "caught\n", "")


def test_where_ctrl_c_is_ignored_it_stays_so(tmp_path: Path) -> None:
    """As for a job that a script puts into the background."""
    (tmp_path / "typer.py").write_text(INTERRUPT + "raise SystemExit(3)\n")
    ended = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT; "$0" -m explorer', sys.executable],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (ended.returncode, ended.stderr) == (3, b"")


def test_a_running_command_cleans_up(tmp_path: Path) -> None:
    """A KeyboardInterrupt like any other once the program has started."""
    (tmp_path / "pyarrow.py").write_text(
        "try:\n    import os, signal\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "except KeyboardInterrupt:\n    print('cleaned up')\n    raise\n"
    )
    path = tmp_path / "heads.parquet"
    ended = python(tmp_path, "-m", "explorer", "heads", "hi", "-o", str(path))
    assert ended == (130, "cleaned up\n", "")
    assert not path.exists()
