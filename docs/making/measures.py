"""The page of measures: what each is, how it is read, and who defined it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docs.making.markdown import anchor, bullets, code, document, plain, summary, table
from explorer.analysis.measures import MEASURES, Measure, cost, grouping, head_points
from explorer.analysis.measures.by_layer import ANCHOR_MEASURE, CONTEXT_MEASURES, ContextMeasure
from explorer.analysis.measures.explained import BESIDE, NULLS, Explanation
from explorer.analysis.measures.separation import sense_test
from explorer.analysis.projection import fit_basis

# Numbers that are functions of their own: their docstrings hold formula and source.
PICTURES = (sense_test, grouping.proposals, head_points, fit_basis)
COSTS = (
    cost.cache_bytes,
    cost.vector_bytes,
    cost.map_bytes,
    cost.forward_operations,
    cost.needed_operations,
    cost.step_operations,
)

_OPENING = """\
# Measures

The numbers that the explorer tells of heads, of words and of costs: formula, source and range, how
to read them, and where they are undefined. `A[q, k]` is the weight that query `q` gives to key `k`
in one head. Positions count tokens; a cell that the mask forbids is no data and takes part in no
mean. Undefined is NaN in Python, `null` in JSON, an empty cell in CSV, and a dash on the page.

[Heads](#of-a-head) · [their nulls](#what-a-score-of-a-head-is-held-against) ·
[beside the table](#of-heads-beside-the-table) · [words](#of-a-word-layer-by-layer) ·
[tests, groups and pictures](#tests-groups-and-pictures) · [costs](#bytes-and-operations)"""

_HEADS = """\
## Of a head

`explorer.MEASURES[name].compute(cap)` gives a number for every head, float64 `[layer, head]`;
`python -m explorer heads TEXT` writes all of them. A measure is a mean over the queries that have a
value, special tokens among them."""

_NULLS = """\
## What a score of a head is held against

A score without its null is half a score: a head may score high whatever the text says."""

_BESIDE = "## Of heads, beside the table"

_CONTEXT = """\
## Of a word, layer by layer

What context does to a word’s vectors: the Embeddings page’s view *by layer*, and `measures` in the
JSON of `python -m explorer embeddings`. They are of the vectors in all their dimensions, never of
the picture, and have no unit. `cos` is the cosine of two vectors. Each is shown beside what chance
gives."""

_PICTURES = """\
## Tests, groups and pictures"""

_COSTS = """\
## Bytes and operations

What the view *sharing and cost* of the Inside page counts, for N tokens, L layers, H heads, H_kv
key/value heads and vectors of width d. An operation is one multiplication or one addition."""


def page() -> str:
    return document(
        _OPENING,
        _HEADS,
        table(
            ("name", "title", "unit", "range"),
            ((f"[`{one.name}`](#{anchor(one.name)})", one.title, one.unit, _range(one)) for one in MEASURES.values()),
        ),
        *map(_of_heads, MEASURES.values()),
        _NULLS,
        *map(_explained, NULLS),
        _BESIDE,
        *map(_explained, BESIDE),
        _CONTEXT,
        *map(_of_words, (*CONTEXT_MEASURES.values(), ANCHOR_MEASURE)),
        _PICTURES,
        *map(_function, PICTURES),
        _COSTS,
        *map(_function, COSTS),
    )


def _of_heads(measure: Measure) -> str:
    return _section(
        measure.name,
        measure.title,
        measure.reading,
        {
            "formula": code(measure.formula),
            "unit": measure.unit,
            "range": _range(measure),
            "undefined": measure.undefined,
            "source": measure.source,
        },
    )


def _explained(number: Explanation) -> str:
    return _section(
        number.name,
        number.title,
        number.reading,
        {
            "formula": code(number.formula),
            "range": number.range,
            "undefined": number.undefined,
            "source": number.source,
            "in Python": f"[`explorer.{number.name}`](api.md#{anchor(number.name)})",
        },
    )


def _of_words(measure: ContextMeasure) -> str:
    low, high = measure.range
    return _section(
        measure.name,
        measure.title,
        measure.reading,
        {
            "formula": code(measure.formula),
            "range": f"{low:g} to {high:g}".replace("-", "−"),
            "chance": measure.null,
            "undefined": measure.undefined,
            "source": measure.source,
        },
    )


def _function(function: Callable[..., Any]) -> str:
    module = function.__module__.removeprefix("explorer.")
    return f"### {function.__name__}\n\n{summary(function)}\n\n- in Python: `{module}`"


def _section(name: str, title: str, reading: str, facts: dict[str, str]) -> str:
    told = bullets(f"{what}: {plain(said)}" for what, said in facts.items())
    return f"### {name}\n\n**{title}.** {plain(reading)}\n\n{told}"


def _range(measure: Measure) -> str:
    low, high = measure.range
    return f"{low:g} and up" if high is None else f"{low:g} to {high:g}"
