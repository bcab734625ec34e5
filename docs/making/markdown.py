"""Pieces of Markdown, and docstrings in Google's style turned into it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any

MADE = "<!-- Made by docs/generate.py; change the code it is made from, then run make docs. -->"
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns):$", re.MULTILINE)
_ENTRY = re.compile(r"^(\w[\w.]*): (.*)$", re.DOTALL)


def code(text: str) -> str:
    """Text in code font."""
    return f"`{text}`"


def plain(text: str) -> str:
    """Text whose angle brackets are no tags; what stands in backticks is code and stays."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else part.replace("<", r"\<") for part in parts)


def bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell is escaped, since it would end the cell."""
    lines = [header, ["---"] * len(header), *rows]
    cells = ([cell.replace("|", "\\|") for cell in row] for row in lines)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def anchor(title: str) -> str:
    """The name under which a forge lets a title be linked to."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def document(*parts: str) -> str:
    """A page: its parts with an empty line between."""
    return "\n\n".join([MADE, *(part.strip("\n") for part in parts if part)]) + "\n"


def docstring(thing: Any) -> str:
    """A thing's docstring as Markdown: its sections become lists under a bold name."""
    text = inspect.getdoc(thing) or ""
    lead, *sections = _SECTION.split(text)
    parts = [prose(lead)]
    for name, body in zip(sections[::2], sections[1::2], strict=True):
        parts.append(f"**{name}**\n\n{_entries(inspect.cleandoc(body))}")
    return "\n\n".join(part for part in parts if part)


def summary(thing: Any) -> str:
    """What a docstring says before its sections."""
    return prose(_SECTION.split(inspect.getdoc(thing) or "")[0])


def prose(text: str) -> str:
    """A docstring's sentences: code in single backticks; a session in a block of its own."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith(">>>"):
            paragraphs.append(f"```pycon\n{paragraph}\n```")
        else:
            paragraphs.append(plain(" ".join(paragraph.split()).replace("``", "`")))
    return "\n\n".join(paragraphs)


def _entries(body: str) -> str:
    """A section's entries, each ``name: what it is``, as a list; anything else as prose."""
    blocks = re.split(r"\n(?=\S)", body.strip("\n"))
    found = [_ENTRY.match(block) for block in blocks]
    if not all(found):
        return prose(body)
    return bullets(f"{code(entry[1])}: {prose(entry[2])}" for entry in found if entry)
