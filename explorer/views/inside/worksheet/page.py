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
from explorer.views.inside.worksheet.rounding import Worksheet, rounded_total, rounding_errors, worksheet

PAPERS = ("A4", "Letter")
MINUS = "−"
_LONGEST_TEXT = 240  # characters
_MOST_NAMED = 12  # omitted tokens


def worksheet_html(
    row: QueryRow, digits: int = 2, blank: bool = False, paper: str | None = None, about: str = ""
) -> str:
    """A self-contained page that prints on A4 or Letter.

    Args:
        row: one query of one head.
        digits: decimals, 1 to 6; only what is printed is rounded.
        blank: leave the answers empty, and print them on a page of their own at the end.
        paper: "A4" or "Letter"; None leaves the size to the printer.
        about: HTML for the page's head, such as its provenance.

    Raises:
        ValueError: digits or paper out of range.
    """
    if paper is not None:
        check_paper(paper)
    sheet = worksheet(row, digits)
    return render(__file__, "page", blank=blank, paper=paper, about=about, **_words(sheet), **_numbers(sheet))


def check_paper(paper: str) -> None:
    """Check the paper size.

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
    """The page's names of the head, of the scale, and of what is not printed; empty where all is."""
    row, model = sheet.row, model_label(sheet.row.source.model)
    first, last = sheet.dims + 1, row.d_head
    rest = f"dimension {first}" if first == last else f"dimensions {first} to {last}"
    return {
        "model": model,
        "stack": STACKS[row.stack],
        "place": f"{model}, layer {row.layer}, head {row.head}",
        "numbered": any(re.search(r"·\d+$", label) for label in row.labels),
        "rest_name": rest if first <= last else "",
        "others_name": _others_name(sheet),
        "operation": _operation(row),
        "longest_text": _LONGEST_TEXT,
        "most_named": _MOST_NAMED,
    }


def _others_name(sheet: Worksheet) -> str:
    """The name of the row that sums the keys without a row; empty where there are none."""
    count = len(sheet.others)
    return "1 other" if count == 1 else f"{count:,} others" if count else ""


def _operation(row: QueryRow) -> str:
    """The scale of q·k, as a column's header; empty where it is 1."""
    if math.isclose(row.parts.scale, 1 / math.sqrt(row.d_head), rel_tol=1e-6):
        return f"÷ √{row.d_head}"
    return "" if math.isclose(row.parts.scale, 1) else f"× {row.parts.scale:.4g}"


def _numbers(sheet: Worksheet) -> dict[str, Any]:
    """The page's numbers."""
    row, parts, digits = sheet.row, sheet.row.parts, sheet.digits
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
        "total": f"{rounded_total(sheet):.{digits}f}",
        "misses": [f"{math.ceil(error * places - 1e-6) / places:.{digits}f}" for error in rounding_errors(sheet)],
    }


def _together(sheet: Worksheet) -> list[tuple[str, float, float]]:
    """The rows that are no single key: name, exponential, weight."""
    row, rows = sheet.row, []
    if len(sheet.others):
        rows.append((_others_name(sheet), sheet.others_exponential, float(row.weights[sheet.others].sum())))
    if row.parts.sink is not None:
        rows.append(("the learned sink", row.sink_exponential, row.sink_exponential / sheet.total))
    return rows
