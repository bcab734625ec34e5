"""The steps of a worksheet: what is done, in a teacher's words, and the tables to fill in."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from explorer.views.inside.worksheet.markup import EMPTY, MINUS, Pen, element, quoted, row, table, token
from explorer.views.inside.worksheet.rounding import Worksheet

_NAMED = 12  # of more tokens that are left out, the first are named


def steps(sheet: Worksheet, pen: Pen) -> str:
    """Steps 1 to 8."""
    words = _scale(sheet), _mask(sheet), _exponentials(sheet, pen), _weights(sheet)
    return "".join(
        [
            _query(sheet, pen),
            _keys(sheet),
            _products(sheet, pen),
            _beside("".join(words), _softmax_table(sheet, pen)),
            _values(sheet, pen),
        ]
    )


def _beside(words: str, figures: str) -> str:
    """Words with a table at their right, or over it where it is too wide."""
    return element("div", element("div", words), figures, kind="beside")


def heading(step: int | str, title: str) -> str:
    """A step's heading."""
    return f"<h2><b>{step}</b>{title}</h2>"


def names(letter: str, dims: int) -> list[str]:
    """A vector's dimensions, counted from 1: q₁, q₂ and so on."""
    return [f"{letter}<sub>{i}</sub>" for i in range(1, dims + 1)]


def shown_of(shown: int, every: int) -> str:
    """Which of a vector's numbers are printed, in words."""
    return f"all {every} numbers" if shown == every else f"the first {shown} of {every} numbers"


def rest_name(sheet: Worksheet) -> str | None:
    """The column that stands for the dimensions that are not printed; None where all are."""
    first, last = sheet.dims + 1, sheet.row.d_head
    if first > last:
        return None
    return f"dimension {first}" if first == last else f"dimensions {first} to {last}"


def _query(sheet: Worksheet, pen: Pen) -> str:
    shown, head = sheet.row, token(sheet.row.query_label)
    rows = [row(head, map(pen.given, shown.q[: sheet.dims]), "own")]
    turned = ""
    if shown.q_before is not None:
        before = row("before turning", map(pen.given, shown.q_before[: sheet.dims]))
        rows = [before, row("after turning", map(pen.given, shown.q[: sheet.dims]), "own")]
        turned = (
            " This model then turns queries and keys by angles that grow with a token’s place in "
            "the text (rotary position); the dot products are of the turned ones."
        )
    words = element(
        "p",
        f"The head makes a query q of the {len(shown.added):,} numbers that stand for "
        f"{quoted(shown.query_label)}, with its matrix W<sub>Q</sub>.{turned} Printed: "
        f"{shown_of(sheet.dims, shown.d_head)}.",
    )
    return element(
        "section",
        heading(1, "The query: what the token looks for"),
        _beside(words, table(["", *names("q", sheet.dims)], rows)),
    )


def _keys(sheet: Worksheet) -> str:
    return heading(2, "The keys: what each token can be found by") + element(
        "p",
        "In the same way each token has a key k, made with W<sub>K</sub>. They are in the table "
        f"below: of each {shown_of(sheet.dims, sheet.row.d_head)}.",
    )


def _products(sheet: Worksheet, pen: Pen) -> str:
    rest = rest_name(sheet)
    given = (
        "" if rest is None else f" What {rest} add up to is given, so that your sum is that of all {sheet.row.d_head}."
    )
    k = sheet.row.k[:, : sheet.dims]
    rows = []
    for place, key in enumerate(sheet.printed.tolist()):
        cells = [*map(pen.given, k[key]), pen.answer(sheet.first[place])]
        if rest is not None:
            cells += [pen.given(sheet.rest[place]), pen.answer(sheet.row.products[key])]
        rows.append(row(token(sheet.row.labels[key]), cells, _kind(sheet, key)))
    ends = [q + k for q, k in zip(names("q", sheet.dims), names("k", sheet.dims), strict=True)]
    summed = " + … + ".join(dict.fromkeys([ends[0], ends[-1]]))
    heads = [summed] if rest is None else [summed, f"+ {rest}<br>(given)", "= q·k"]
    return (
        heading(3, "Dot products: how well query and key match")
        + element("p", f"Multiply query and key number by number and add up. A large sum is a good match.{given}")
        + _example(sheet, pen)
        + table(["key", *names("k", sheet.dims), *heads], rows)
    )


def _example(sheet: Worksheet, pen: Pen) -> str:
    """One key's products written out: the query's own token where it is among the printed."""
    place = int(np.argmax([_is_own(sheet, key) for key in sheet.printed.tolist()]))
    key = int(sheet.printed[place])
    pairs = zip(sheet.row.q[: sheet.dims], sheet.row.k[key, : sheet.dims], strict=True)
    written = " + ".join(f"{_factor(a, pen)} × {_factor(b, pen)}" for a, b in pairs)
    rest = rest_name(sheet)
    more = (
        ""
        if rest is None
        else f"<br>{pen.inline(sheet.first[place])} + {_factor(sheet.rest[place], pen)} from "
        f"{rest} = {pen.inline(sheet.row.products[key])}"
    )
    return element(
        "p",
        f"For the key {quoted(sheet.row.labels[key])}:<br>{written} = {pen.inline(sheet.first[place])}{more}",
        kind="formula",
    )


def _factor(value: float, pen: Pen) -> str:
    """A number within a sum or product: a negative one in brackets."""
    text = pen.number(value)
    return f"({text})" if text.startswith(MINUS) else text


def scaling(sheet: Worksheet) -> tuple[str, str]:
    """What is done to q·k, as a column's head, and why, in words; no head where nothing is."""
    scale, d_head = sheet.row.parts.scale, sheet.row.d_head
    if math.isclose(scale, 1 / math.sqrt(d_head), rel_tol=1e-6):
        root = f"√{d_head}"
        return f"÷ {root}", (
            f"Divide each q·k by {root} = {math.sqrt(d_head):.4g}, the root of the number of "
            "dimensions. Sums of many products are large; undivided, almost all weight would go "
            "to one key."
        )
    if math.isclose(scale, 1):
        return "", "This model does not scale: q·k stays as it is."
    return f"× {scale:.4g}", (
        f"Multiply each q·k by {scale:.6g}: this model has a scale of its own "
        f"(1/√{d_head} would be {1 / math.sqrt(d_head):.4g})."
    )


def _scale(sheet: Worksheet) -> str:
    parts, sentences = sheet.row.parts, [scaling(sheet)[1]]
    if parts.softcap is not None:
        cap = f"{parts.softcap:.4g}"
        sentences.append(f"Then it caps the result softly: {cap} · tanh(result ÷ {cap}) never passes {cap}.")
    if parts.bias is not None:
        sentences.append("Add the bias, a number that the model has for the distance between two tokens (given).")
    return heading(4, "Scale") + element("p", " ".join(sentences))


def _mask(sheet: Worksheet) -> str:
    shown, forbidden = sheet.row, sheet.forbidden
    if not len(forbidden):
        why = "" if shown.stack == "decoder" else ": this head has no mask"
        said = f"{quoted(shown.query_label)} may see every token{why}. Nothing is left out."
        return heading(5, "Mask") + element("p", said)
    causal = shown.stack == "decoder"
    later = forbidden[forbidden > shown.query] if causal else forbidden[:0]
    far = np.setdiff1d(forbidden, later)
    sentences = []
    if len(later):
        sentences.append(
            f"{_named(sheet, later)} come{'s' if len(later) == 1 else ''} after "
            f"{quoted(shown.query_label)}. The model is to predict what comes next, so it may "
            "not look there."
        )
    if len(far):
        sentences.append(
            f"{_named(sheet, far)} lie{'s' if len(far) == 1 else ''} outside the window of near "
            "tokens that this layer sees."
        )
    sentences.append("What the mask leaves out has a weight of exactly 0.")
    return heading(5, "Mask") + element("p", " ".join(sentences))


def _named(sheet: Worksheet, keys: np.ndarray) -> str:
    named = [quoted(sheet.row.labels[key]) for key in keys[:_NAMED]]
    more = f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else ""
    return ", ".join(named) + more


def _exponentials(sheet: Worksheet, pen: Pen) -> str:
    sink = ""
    if sheet.row.parts.sink is not None:
        sink = " This head also has a learned sink: a score that belongs to no token and takes a part of the weight."
    return heading(6, "Exponentials, and their sum") + element(
        "p",
        f"Find the largest score, {pen.inline(sheet.largest)}, and take it from every score (the "
        "weights stay the same, and no number becomes too large). Then raise e ≈ 2.718 to "
        f"that power, and add up.{sink}",
    )


def _weights(sheet: Worksheet) -> str:
    return heading(7, "Weights") + element(
        "p",
        "Divide each exponential by the sum. The weights add up to 1: shares of the "
        "token’s attention. (Steps 6 and 7 together are called softmax.)",
    )


def _softmax_table(sheet: Worksheet, pen: Pen) -> str:
    shown = sheet.row
    powers = f"{_step(6)}e<sup>score {MINUS} largest</sup>"
    heads = ["key", *_score_heads(sheet), powers, f"{_step(7)}weight"]
    before = len(heads) - 3
    rows = []
    for key in sheet.printed.tolist():
        cells = [*_score_cells(sheet, key, pen), pen.answer(shown.exponentials[key]), pen.answer(shown.weights[key])]
        rows.append(row(token(shown.labels[key]), cells, _kind(sheet, key)))
    if len(sheet.others):
        weight = shown.weights[sheet.others].sum()
        cells = [EMPTY] * before + [pen.given(sheet.others_exponential), pen.answer(weight)]
        rows.append(row(others_name(sheet), cells, "together"))
    if shown.parts.sink is not None:
        weight = shown.sink_exponential / sheet.total
        cells = [
            *[EMPTY] * (before - 1),
            pen.given(shown.parts.sink),
            pen.answer(shown.sink_exponential),
            pen.answer(weight),
        ]
        rows.append(row("the learned sink", cells, "together"))
    rows.append(row("sum", [EMPTY] * before + [pen.answer(sheet.total), pen.given(1)], "sum"))
    return table(heads, rows)


def _step(which: int) -> str:
    return f"<b>{which}</b><br>"


def _score_heads(sheet: Worksheet) -> list[str]:
    """The columns from q·k to the score; the last is the score itself."""
    parts, step = sheet.row.parts, _step(4)
    heads = [f"{step}q·k {scaling(sheet)[0]}".rstrip()]
    if parts.softcap is not None:
        heads.append(f"{step}capped")
    if parts.bias is not None:
        return [*heads, f"{step}+ bias", f"{step}= score"]
    return [*heads[:-1], f"{heads[-1]}<br>= score"]


def _score_cells(sheet: Worksheet, key: int, pen: Pen) -> Iterator[str]:
    parts = sheet.row.parts
    value = sheet.row.products[key] * parts.scale
    yield pen.answer(value)
    if parts.softcap is not None:
        value = parts.softcap * math.tanh(value / parts.softcap)
        yield pen.answer(value)
    if parts.bias is not None:
        yield pen.given(parts.bias[key])
        yield pen.answer(sheet.row.scaled[key])


def _values(sheet: Worksheet, pen: Pen) -> str:
    shown, dims = sheet.row, sheet.value_dims
    rows = [
        row(token(shown.labels[key]), map(pen.given, shown.v[key, :dims]), _kind(sheet, key))
        for key in sheet.printed.tolist()
    ]
    if len(sheet.others):
        rows.append(row(others_name(sheet), map(pen.given, sheet.others_value), "together"))
    rows.append(row("output", map(pen.answer, shown.output[:dims]), "sum"))
    together = " The row of the others is their mean, by weight." if len(sheet.others) else ""
    words = element(
        "p",
        "Each token has a value v, made with W<sub>V</sub>: what it hands on. Printed: of each "
        f"{shown_of(dims, shown.v.shape[1])}.{together}",
    ) + element(
        "p", "Multiply each number by its key’s weight, and add up down the column. That is the head’s output."
    )
    return element(
        "section",
        heading(8, "Values, and their weighted sum"),
        _beside(words, table(["key", *names("v", dims)], rows)),
    )


def others_name(sheet: Worksheet) -> str:
    """The row that stands for all keys without one of their own."""
    count = len(sheet.others)
    return "1 other" if count == 1 else f"{count:,} others"


def _is_own(sheet: Worksheet, key: int) -> bool:
    return sheet.row.stack != "cross" and key == sheet.row.query


def _kind(sheet: Worksheet, key: int) -> str:
    return "own" if _is_own(sheet, key) else ""
