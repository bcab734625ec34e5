"""Attention by hand: one query's row as a printable page, with the answers or with blanks."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Any

import numpy as np

from explorer.figures.style import STACKS, model_label
from explorer.figures.templates import render
from explorer.records import QueryRow
from explorer.views.inside.worksheet.rounding import Worksheet, worksheet

PAPERS = ("A4", "Letter")
MINUS = "−"
_LONGEST_TEXT = 240  # characters
_MOST_NAMED = 12  # of more tokens that are left out, the first are named


def worksheet_html(
    given: QueryRow, digits: int = 2, blank: bool = False, paper: str | None = None, about: str = ""
) -> str:
    """A page that stands alone and prints on A4 or Letter.

    Args:
        given: one query of one head.
        digits: decimals, 1 to 6; only what is printed is rounded.
        blank: leave what is to be worked out empty, with a key on a page of its own at the end.
        paper: "A4" or "Letter"; None leaves the size to who prints.
        about: HTML for the page's head, such as the record of what made it.

    Raises:
        ValueError: digits or paper that there are not.
    """
    if paper is not None:
        check_paper(paper)
    sheet = worksheet(given, digits)
    return render(__file__, "page", blank=blank, paper=paper, about=about, **_words(sheet), **_numbers(sheet))


def check_paper(paper: str) -> None:
    """Refuse paper that no page is laid out for.

    Raises:
        ValueError: neither "A4" nor "Letter".
    """
    if paper not in PAPERS:
        raise ValueError(f"unknown paper '{paper}': use {' or '.join(PAPERS)}")


def number(value: float, digits: int) -> str:
    """A number rounded to ``digits`` decimals, with a true minus sign; never a negative zero."""
    text = f"{value:.{digits}f}"
    negative = text.startswith("-") and float(text) != 0
    return (MINUS if negative else "") + text.removeprefix("-")


def _words(sheet: Worksheet) -> dict[str, Any]:
    """What the page calls the head, what it leaves out, and what is done to q·k."""
    row, model = sheet.row, model_label(sheet.row.source.model)
    return {
        "model": model,
        "stack": STACKS[row.stack],
        "place": f"{model}, layer {row.layer}, head {row.head}",
        "numbered": any(re.search(r"·\d+$", label) for label in row.labels),
        "rest_name": _rest_name(sheet),
        "others_name": _others_name(sheet),
        "operation": _operation(row),
        "longest_text": _LONGEST_TEXT,
        "most_named": _MOST_NAMED,
    }


def _rest_name(sheet: Worksheet) -> str:
    """The column that stands for the dimensions that are not printed; empty where all are."""
    first, last = sheet.dims + 1, sheet.row.d_head
    if first > last:
        return ""
    return f"dimension {first}" if first == last else f"dimensions {first} to {last}"


def _others_name(sheet: Worksheet) -> str:
    """The row that stands for all keys without one of their own; empty where each has one."""
    count = len(sheet.others)
    return "1 other" if count == 1 else f"{count:,} others" if count else ""


def _operation(row: QueryRow) -> str:
    """What scales q·k, as a column's head; empty where nothing does."""
    if math.isclose(row.parts.scale, 1 / math.sqrt(row.d_head), rel_tol=1e-6):
        return f"÷ √{row.d_head}"
    return "" if math.isclose(row.parts.scale, 1) else f"× {row.parts.scale:.4g}"


def _numbers(sheet: Worksheet) -> dict[str, Any]:
    """What is printed, and worked out for it."""
    row, parts, digits, misses = sheet.row, sheet.row.parts, sheet.digits, sheet.misses
    printed, forbidden = sheet.printed.tolist(), sheet.forbidden.tolist()
    own = row.query if row.stack != "cross" else -1
    cap = parts.softcap
    later = [key for key in forbidden if row.stack == "decoder" and key > row.query]
    places = 10**digits
    return {
        "sheet": sheet,
        "row": row,
        "number": partial(number, digits=digits),
        "half": f"{0.5 / places:.{digits + 1}f}",
        "printed": printed,
        "own": own,  # the query's own key, where it is one
        "example": printed.index(own) if own in printed else 0,  # whose products are written out
        "later": later,
        "far": [key for key in forbidden if key not in later],
        "capped": cap and cap * np.tanh(row.products * parts.scale / cap),
        "together": _together(sheet),
        "heaviest": np.argsort(-row.weights, kind="stable")[: min(2, len(printed))],
        "length": f"{np.linalg.norm(row.added):.3g}",
        "total": f"{misses.total:.{digits}f}",
        "misses": [
            f"{math.ceil(miss * places - 1e-6) / places:.{digits}f}"
            for miss in (misses.products, misses.weights, misses.output)
        ],
    }


def _together(sheet: Worksheet) -> list[tuple[str, float, float]]:
    """Rows without a key of their own: name, exponential, weight."""
    row, found = sheet.row, []
    if len(sheet.others):
        found.append((_others_name(sheet), sheet.others_exponential, float(row.weights[sheet.others].sum())))
    if row.parts.sink is not None:
        found.append(("the learned sink", row.sink_exponential, row.sink_exponential / sheet.total))
    return found
