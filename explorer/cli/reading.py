"""What a command is given to read: a text, files of them, and standard input for "-"."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from explorer.text.sentences import decoded, plain_text


@dataclass(frozen=True)
class GivenText:
    """A text, and what begins a line that is said of it: where it is from, one of several."""

    text: str
    place: str = ""


def texts_to_read(text: str | None, source: str | None) -> tuple[GivenText, ...]:
    """The one text of a command, or each line of a file that is not blank.

    Args:
        text: the argument TEXT; "-" is standard input, all of it.
        source: the file of the option ``--from``; "-" is standard input.

    Raises:
        ValueError: neither or both are given, or the file cannot be read or holds no text.
    """
    if source is None:
        if text is None:
            raise ValueError("there is no text: give a TEXT, or a file of texts with --from FILE")
        return (GivenText(_standard_input() if text == "-" else text),)
    if text is not None:
        raise ValueError("give either a TEXT or a file of texts with --from, not both")
    name = name_of(source)
    lines = re.split(r"\r\n|\r|\n", plain_text(_bytes_of(source), name))
    there = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not there:
        raise ValueError(f"{name} holds no text: write one a line")
    return tuple(
        GivenText(line, f"text {i} ({name}, line {number}): ") for i, (number, line) in enumerate(there, start=1)
    )


def _standard_input() -> str:
    """What is piped in, whatever text it is, without the end of its last line."""
    text = plain_text(_bytes_of("-"), name_of("-"))
    return text.removesuffix("\n").removesuffix("\r")


def read(file: str) -> str:
    """A file of sentences, or standard input for "-"."""
    return decoded(_bytes_of(file), name_of(file))


def _bytes_of(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None


def name_of(file: str) -> str:
    """What an error calls a file."""
    return "standard input" if file == "-" else file
