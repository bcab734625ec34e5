"""Which file may be written, and writing it whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

PICTURES = ("png", "svg", "pdf")
DRAWINGS = (*PICTURES, "html")
FORMATS = (*DRAWINGS, "csv", "json", "npz")
TABLES = ("json", "csv", "parquet")
SHEETS = ("html", "pdf", "json", "csv")


class ExportError(RuntimeError):
    """A file that cannot be made; the message is one line for the user."""


class NoBrowserError(ExportError):
    """There is no browser to draw or print with, or it does not run: each file fails."""


def named_format(path: Path, formats: Sequence[str] = FORMATS) -> str:
    """The format that a file's ending names.

    Raises:
        ValueError: an unknown ending.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in formats:
        endings = ", ".join(f".{name}" for name in formats[:-1]) + f" or .{formats[-1]}"
        raise ValueError(f"{path} has no ending that names a format: use {endings}")
    return kind


def check_path(path: Path, formats: Sequence[str] = FORMATS, force: bool = False, new_folder: bool = False) -> str:
    """The format a file's ending names, when the file may be written.

    Its folder may yet be missing where it is a ``new_folder``.

    Raises:
        ValueError: an unknown ending, an existing file without ``force``, or a folder that
            is not there or cannot be written in.
    """
    kind = named_format(path, formats)
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the name of a file")
    if not new_folder or path.parent.exists():
        _check_room(path)
    if path.exists() and not force:
        raise ValueError(f"{path} exists: choose another name, or overwrite it with --force")
    return kind


def check_folder(path: Path) -> None:
    """Refuse a folder for files that is not there and cannot be made.

    Raises:
        ValueError: a file has its name, or the folder it would be in is missing or protected.
    """
    if path.is_dir():
        return
    if path.exists():
        raise ValueError(f"{path} is a file, and a folder is needed: choose another name")
    _check_room(path)


def _check_room(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise ValueError(f"{path} cannot be written: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{path} cannot be written: the folder {folder} is write-protected")


def write_file(path: Path, content: bytes | str) -> None:
    """Write a file whole or not at all: what was there stays until the new one is ready.

    Raises:
        ExportError: it cannot be written; the reason is said.
    """
    path = path.resolve()  # a link keeps pointing where it does
    unfinished = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}") from None
