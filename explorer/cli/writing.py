"""Where results go: files whose ending names the format, a folder, or standard output."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.cli.reading import GivenText
from explorer.saving.files import FORMATS, check_folder, check_path, named_format, write_file

_TEXTUAL = ("json", "csv", "html")  # what a terminal can show
_SLUG = 40  # characters of a text in its file's name


@dataclass(frozen=True)
class Outlet:
    """The format, and where the result of each text goes.

    ``paths`` has one for each text; None is standard output, ``as_lines`` puts JSON there
    in one line. ``folder`` is made when something is written to it.
    """

    kind: str
    paths: tuple[Path | None, ...]
    as_lines: bool = False
    folder: Path | None = None

    def write(self, number: int, content: str | bytes) -> None:
        """Write the result of a text, counted from 0."""
        if self.folder is not None:
            self.folder.mkdir(exist_ok=True)
        if self.as_lines:
            text = content if isinstance(content, str) else content.decode()
            content = text.replace("\n", "") + "\n"
        write(content, self.paths[number])


def outlet(
    output: Path | None, form: str | None, force: bool, texts: Sequence[GivenText], formats: Sequence[str] = FORMATS
) -> Outlet:
    """Where the results go; what cannot be written is refused before a model is loaded.

    A name without an ending is a folder where one is there, or where several texts or a format
    are given.

    Args:
        output: the option ``-o``.
        form: the option ``--format``.
        force: existing files may be overwritten.
        texts: what is read.
        formats: what the command writes.

    Raises:
        ValueError: an unknown format, two that contradict, or a file that may not be written.
    """
    if form is not None and form not in formats:
        raise ValueError(f"unknown format '{form}': use {', '.join(formats[:-1])} or {formats[-1]}")
    several = bool(texts[0].place)
    if output is None:
        return _to_standard_output(form or "json", texts, several)
    if output.is_dir() or (not output.suffix and (several or form is not None)):
        check_folder(output)
        kind = form or "json"
        paths = [output / name for name in _names(texts, kind)]
    else:
        kind = named_format(output, formats)
        if form not in (None, kind):
            raise ValueError(f"{output} and --format {form} are two formats: leave one out")
        numbered = len(texts) > 1
        paths = [
            output.with_stem(f"{output.stem}-{number}") if numbered else output for number in _numbers(len(texts))
        ]
    for path in paths:
        check_path(path, formats, force, new_folder=path.parent == output)
    return Outlet(kind, tuple(paths), folder=paths[0].parent if paths[0].parent == output else None)


def _to_standard_output(kind: str, texts: Sequence[GivenText], several: bool) -> Outlet:
    if several and kind != "json":
        raise ValueError(f"several texts as {kind} need files: name them with -o")
    if kind not in _TEXTUAL and sys.stdout.isatty():
        raise ValueError(f"a terminal does not show {kind}: name a file with -o")
    return Outlet(kind, (None,) * len(texts), as_lines=several)


def _names(texts: Sequence[GivenText], kind: str) -> list[str]:
    """Names of files: a number where there are several, and how the text begins."""
    words = ["-".join(re.findall(r"\w+", one.text.lower()))[:_SLUG].strip("-_") for one in texts]
    numbers = _numbers(len(texts)) if texts[0].place else [""]
    parts = [[part for part in pair if part] for pair in zip(numbers, words, strict=True)]
    return ["-".join(part or ["text"]) + f".{kind}" for part in parts]


def _numbers(count: int) -> list[str]:
    """1, 2, 3 and so on, of one width, so that they sort."""
    return [f"{number:0{len(str(count))}}" for number in range(1, count + 1)]


def format_of(output: Path | None, force: bool, formats: Sequence[str] = FORMATS) -> str:
    """The format to write one file in; an unusable one is refused before a model is loaded."""
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
