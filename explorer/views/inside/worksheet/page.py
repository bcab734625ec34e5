"""Attention by hand: one query's row as a printable page, with the answers or with blanks."""

from __future__ import annotations

import html
import math
import re
from pathlib import Path

import numpy as np

from explorer.figures.style import STACKS, model_label
from explorer.records import QueryRow
from explorer.views.inside.worksheet.markup import Pen, element, quoted, row, table, token
from explorer.views.inside.worksheet.page_steps import names, others_name, steps
from explorer.views.inside.worksheet.rounding import Worksheet, worksheet

PAPERS = ("A4", "Letter")
_LONGEST_TEXT = 240  # characters
_STYLE = Path(__file__).with_name("page.css")


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
    title = f"Attention by hand: “{given.query_label}” in {_place(given)}"
    sized = f"@page {{ size: {paper}; }}" if paper else ""
    body = [_head(sheet, blank), steps(sheet, Pen(digits, blank))]
    body.append(_key(sheet) if blank else _answers(sheet))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(title)}</title>\n{about}"
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}{sized}</style>\n</head>\n"
        f"<body>\n{''.join(body)}\n</body>\n</html>\n"
    )


def check_paper(paper: str) -> None:
    """Refuse paper that no page is laid out for.

    Raises:
        ValueError: neither "A4" nor "Letter".
    """
    if paper not in PAPERS:
        raise ValueError(f"unknown paper '{paper}': use {' or '.join(PAPERS)}")


def _place(given: QueryRow) -> str:
    return f"{model_label(given.model)}, layer {given.layer}, head {given.head}"


def _head(sheet: Worksheet, blank: bool) -> str:
    lead = (
        "How one token gathers from the others. All numbers are the model’s own; a calculator "
        "with e<sup>x</sup> is enough."
    )
    pupil = element("div", "<span>Name</span><span>Date</span>", kind="pupil") if blank else ""
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _facts(sheet.row))
    notes = "".join(element("li", note) for note in _notes(sheet, blank))
    return (
        f"<h1>Attention by hand: {quoted(sheet.row.query_label)}</h1>"
        + element("p", lead, kind="lead")
        + pupil
        + element("dl", facts, kind="facts")
        + element("ul", notes)
    )


def _facts(given: QueryRow) -> list[tuple[str, str]]:
    revision = f" ({html.escape(given.revision)})" if given.revision else ""
    shared = (
        ""
        if given.kv_head == given.head
        else (f"; its keys and values are number {given.kv_head}, shared with other heads")
    )
    facts = [
        ("model", html.escape(model_label(given.model)) + revision),
        ("head", f"layer {given.layer}, head {given.head} of {STACKS[given.stack]}, both counted from 0{shared}"),
        ("text", _text(given.text)),
    ]
    if given.pair is not None:
        facts.append(("second text", _text(given.pair)))
    if given.truncation:
        facts.append(("of it", html.escape(given.truncation)))
    return [*facts, ("token", f"{quoted(given.query_label)}, token {given.query} (counted from 0)")]


def _text(text: str) -> str:
    if len(text) <= _LONGEST_TEXT:
        return token(text)
    return f"{token(text[:_LONGEST_TEXT])} … ({len(text):,} characters in all)"


def _notes(sheet: Worksheet, blank: bool) -> list[str]:
    digits, given = sheet.digits, sheet.row
    half = f"{0.5 * 10**-digits:.{digits + 1}f}"
    notes = [
        f"Numbers are rounded to {digits} decimal{'s' if digits > 1 else ''}: "
        f"0.{'0' * digits} may be anything between −{half} and {half}."
    ]
    if any(re.search(r"·\d+$", label) for label in given.labels):
        notes.append("Tokens that come again are numbered: “the·1” is the first “the”.")
    if sheet.dims < given.d_head:
        notes.append(
            f"Queries and keys have {given.d_head} dimensions. The first {sheet.dims} of "
            f"{given.d_head} are printed; what the others add to each sum is given."
        )
    if len(sheet.others):
        count = len(sheet.printed) + len(sheet.others)
        notes.append(
            f"The token may see {count:,} keys. The {len(sheet.printed)} with the largest weights "
            f"are printed; the rest are one row, “{others_name(sheet)}”, given."
        )
    notes.append(
        "Empty boxes are for you. The last digit may differ from the key at the end, which says by how much."
        if blank
        else f"What is to be worked out is {element('span', 'blue and bold', kind='answer')}."
    )
    return notes


def _missing(sheet: Worksheet) -> str:
    """By how much rounding may miss, from doing the exercise with the printed numbers."""
    misses = sheet.misses
    places = 10**sheet.digits
    told = [
        f"{math.ceil(miss * places - 1e-6) / places:.{sheet.digits}f}"
        for miss in (misses.products, misses.weights, misses.output)
    ]
    total = f"{misses.total:.{sheet.digits}f}"
    return (
        f"Rounded, the weights add up to {total}. Worked out from the rounded numbers on this "
        f"sheet, rounding after each step, q·k comes within {told[0]} of the model’s, a weight "
        f"within {told[1]} and the output within {told[2]}."
    )


def _said(sheet: Worksheet) -> str:
    given, pen = sheet.row, Pen(sheet.digits, blank=False)
    heaviest = np.argsort(-given.weights, kind="stable")[: min(2, len(sheet.printed))]
    most = " and ".join(f"{quoted(given.labels[key])} ({pen.number(given.weights[key])})" for key in heaviest)
    length = f"{np.linalg.norm(given.added):.3g}"
    return element(
        "p",
        f"{quoted(given.query_label)} looks most at {most}. The output, times the head’s matrix "
        f"W<sub>O</sub>, is what the head adds to the {len(given.added):,} numbers that stand for "
        f"the token: an arrow of length {length}. Checked: the weights differ by at most "
        f"{given.error:.0e} from those the model itself used.",
        kind="said",
    ) + element("p", _missing(sheet))


def _answers(sheet: Worksheet) -> str:
    return "<h2>What came out</h2>" + _said(sheet)


def _key(sheet: Worksheet) -> str:
    """The answers, on a page of their own."""
    given, pen = sheet.row, Pen(sheet.digits, blank=False)
    rows = [
        row(
            token(given.labels[key]),
            map(
                pen.answer,
                (
                    sheet.first[place],
                    given.products[key],
                    given.scaled[key],
                    given.exponentials[key],
                    given.weights[key],
                ),
            ),
        )
        for place, key in enumerate(sheet.printed.tolist())
    ]
    blank = ["<td></td>"] * 3
    for name, exponential, weight in _more(sheet):
        rows.append(row(name, [*blank, pen.answer(exponential), pen.answer(weight)], "together"))
    rows.append(row("sum", [*blank, pen.answer(sheet.total), pen.answer(1)], "sum"))
    heads = ["key", f"first {sheet.dims}", "q·k", "score", "e<sup>score − largest</sup>", "weight"]
    output = row("output", map(pen.answer, given.output[: sheet.value_dims]))
    return element(
        "section",
        f"<h1>Key: {quoted(given.query_label)}</h1>",
        element("p", html.escape(_place(given)), kind="lead"),
        table(heads, rows),
        element("p", f"The largest score is {pen.inline(sheet.largest)}."),
        table(["", *(f"v{name[1:]}" for name in names("v", sheet.value_dims))], [output]),
        _said(sheet),
        kind="key",
    )


def _more(sheet: Worksheet) -> list[tuple[str, float, float]]:
    """Rows without a score of their own: name, exponential, weight."""
    given, found = sheet.row, []
    if len(sheet.others):
        weight = float(given.weights[sheet.others].sum())
        found.append((others_name(sheet), sheet.others_exponential, weight))
    if given.parts.sink is not None:
        sink = given.sink_exponential
        found.append(("the learned sink", sink, sink / sheet.total))
    return found
