"""Numbers, tokens and tables as a printed page's HTML; whatever a text holds stays text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MINUS = "−"


def number(value: float, digits: int) -> str:
    """A number rounded to ``digits`` decimals, with a true minus sign; never a negative zero."""
    text = f"{value:.{digits}f}"
    negative = text.startswith("-") and float(text) != 0
    return (MINUS if negative else "") + text.removeprefix("-")


def token(label: str) -> str:
    """A token's label, kept apart from the text around it whichever way it is written."""
    return f'<bdi class="token">{html.escape(label)}</bdi>'


def quoted(label: str) -> str:
    """A token's label in quotation marks."""
    return f"“{token(label)}”"


def element(tag: str, *parts: str, kind: str = "") -> str:
    """An element around what is HTML already."""
    opening = f'{tag} class="{kind}"' if kind else tag
    return f"<{opening}>{''.join(parts)}</{tag}>"


def table(head: Sequence[str], rows: Iterable[str]) -> str:
    """A table of rows made by ``Pen.row``; its head comes again on every page."""
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def row(head: str, cells: Iterable[str], kind: str = "") -> str:
    """A row of a table: what it is of, and its cells."""
    return element("tr", f'<th scope="row">{head}</th>', *cells, kind=kind)


EMPTY = "<td></td>"


@dataclass(frozen=True)
class Pen:
    """Who fills a page in: what is given is always there, the answers only where not ``blank``."""

    digits: int
    blank: bool

    def number(self, value: float) -> str:
        """A number among words."""
        return number(value, self.digits)

    def given(self, value: float) -> str:
        """A cell whose number everybody is given."""
        return element("td", self.number(value))

    def answer(self, value: float) -> str:
        """A cell that is to be worked out."""
        if self.blank:
            return element("td", kind="blank")
        return element("td", self.number(value), kind="answer")

    def inline(self, value: float) -> str:
        """A result among words that is to be worked out."""
        if self.blank:
            return element("span", kind="blank")
        return element("span", self.number(value), kind="answer")
