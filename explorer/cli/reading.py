"""What a command is given to read: files, and standard input for "-"."""

from __future__ import annotations

import sys
from pathlib import Path

from explorer.sentences import decoded, plain_text


def standard_input() -> str:
    """What is piped in, whatever text it is, without the end of its last line."""
    text = plain_text(sys.stdin.buffer.read(), name_of("-"))
    return text.removesuffix("\n").removesuffix("\r")


def read(file: str) -> str:
    """A file of sentences, or standard input for "-"."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    return decoded(data, name_of(file))


def name_of(file: str) -> str:
    """What an error calls a file."""
    return "standard input" if file == "-" else file
