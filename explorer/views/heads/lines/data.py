"""The lines as data, strongest first."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import HeadLines
from explorer.records.table import Table
from explorer.views.heads.lines import LinesSettings


def _lines(record: HeadLines) -> list[tuple[int, int, int, float]]:
    """The head, query, key and weight of each line."""
    columns = record.line_heads, record.line_queries, record.line_keys, record.weights
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(record.heads[place], query, key, weight) for place, query, key, weight in rows]


def data(record: HeadLines, _settings: LinesSettings) -> dict[str, Any]:
    """The lines and their tokens; ``shares`` is the share of each head's weight that its lines carry."""
    return {
        "stack": record.stack,
        "layer": record.layer,
        "heads": list(record.heads),
        "queries": list(record.queries),
        "keys": list(record.keys),
        "lines": [
            {"head": head, "query": query, "key": key, "weight": weight} for head, query, key, weight in _lines(record)
        ],
        "above": record.above,
        "shares": list(record.shares),
    }


def table(record: HeadLines, _settings: LinesSettings | None = None) -> Table:
    """A row a line: layer, head, query and key (index and label) and weight."""
    return Table.of(
        ["layer", "head", "query_index", "query", "key_index", "key", "weight"],
        (
            [record.layer, head, query, record.queries[query], key, record.keys[key], weight]
            for head, query, key, weight in _lines(record)
        ),
    )


def stem(record: HeadLines, _settings: LinesSettings) -> str:
    """A file name with the layer and the heads."""
    heads = "-".join(map(str, record.heads))
    return f"{model_stem(record.source.model)}-{record.stack}-layer{record.layer}-heads{heads}-lines"
