"""Where a result goes: a file whose ending names the format, or standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from explorer.export.files import FORMATS, check_path, write_file


def format_of(output: Path | None, force: bool, formats: Sequence[str] = FORMATS) -> str:
    """The format to write; an unusable file is refused before a model is loaded."""
    return "json" if output is None else check_path(output, formats, force)


def write(content: str | bytes, output: Path | None) -> None:
    """To the file, or to standard output."""
    if output is not None:
        write_file(output, content)
    else:
        print_out(content)


def print_out(content: str | bytes) -> None:
    """To standard output as UTF-8, whatever the terminal's locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content.encode() if isinstance(content, str) else content)
    sys.stdout.buffer.flush()
