"""One head's map as data."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import HeadMap
from explorer.records.table import Table
from explorer.views.heads.page import MapSettings


def data(record: HeadMap, _settings: MapSettings | None = None) -> dict[str, Any]:
    """The map's tokens and weights, in full precision."""
    return {
        "stack": record.stack,
        "layer": record.layer,
        "head": record.head,
        "queries": list(record.queries),
        "keys": list(record.keys),
        "causal": record.causal,
        "attention": record.weights.tolist(),
    }


def table(record: HeadMap, _settings: MapSettings | None = None) -> Table:
    """A row a query, a column a key; cells the mask forbids are 0."""
    rows = zip(record.queries, record.weights.tolist(), strict=True)
    return Table.of(["query", *record.keys], ([query, *weights] for query, weights in rows))


def stem(record: HeadMap, settings: MapSettings) -> str:
    """A file name with the model, the stack, the head or heads, and the part."""
    model, aggregate = model_stem(record.source.model), record.switches.aggregate
    names = "-".join(f"{layer}.{head}" for layer, head in record.switches.heads)
    head = f"head{record.head}" if aggregate == "head" else aggregate
    which = f"{aggregate}-{names}" if names else f"layer{record.layer}-{head}"
    window = f"-part{settings.window.replace(',', '-')}" if settings.window else ""
    return f"{model}-{record.stack}-{which}{'-norm' if record.switches.norm else ''}{window}"
