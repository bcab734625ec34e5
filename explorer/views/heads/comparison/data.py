"""Two heads' maps and their difference as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.figures.style import model_stem
from explorer.records import HeadComparison, HeadMap
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.comparison.compute import placed
from explorer.views.heads.heatmap.data import data as heatmap_data


def data(record: HeadComparison, _settings: ComparisonSettings | None = None) -> dict[str, Any]:
    """Both whole maps, and second minus first on the tokens of both.

    ``queries`` and ``keys`` are those of both sides in one order; ``query_places`` and
    ``key_places`` have the row and column of each in the first and the second map, −1 if that
    side has none. A cell of ``difference`` is undefined if a side lacks it or its mask
    forbids it; ``difference`` is None if the texts have no word in common.
    """
    return {
        "stack": record.first.stack,
        "layer": record.first.layer,
        "head": record.first.head,
        "first": _side(record.first),
        "second": _side(record.second),
        "queries": list(record.queries),
        "keys": list(record.keys),
        "query_places": record.query_places.tolist(),
        "key_places": record.key_places.tolist(),
        "difference": None if record.difference is None else record.difference.tolist(),
        "remarks": list(record.remarks),
    }


def _side(record: HeadMap) -> dict[str, Any]:
    source = record.source
    about = {"model": source.model, "revision": source.revision, "text": source.text, "pair": source.pair}
    return {**about, "truncation": source.truncation or None, **heatmap_data(record)}


def table(record: HeadComparison, _settings: ComparisonSettings | None = None) -> Table:
    """A row a cell: query, key, first, second, second − first; empty if undefined."""
    queries, keys = record.query_places, record.key_places
    sides = [placed(one, queries[:, side], keys[:, side]) for side, one in enumerate((record.first, record.second))]
    columns = [*sides, sides[1] - sides[0]]
    rows: list[list[object]] = []
    for row, query in enumerate(record.queries):
        values = np.stack([column[row] for column in columns], axis=1).tolist()
        rows += [[query, key, *cell] for key, cell in zip(record.keys, values, strict=True)]
    return Table.of(["query", "key", "first", "second", "difference"], rows)


def stem(record: HeadComparison, _settings: ComparisonSettings) -> str:
    """A file name with the two heads that are compared."""
    sides = (record.first, record.second)
    return "-against-".join(f"{model_stem(one.source.model)}-layer{one.layer}-head{one.head}" for one in sides)


def source(record: HeadComparison) -> Source:
    """The first side's model and text, with the truncation of both texts."""
    cut = [
        f"of the {which} text {one.source.truncation}"
        for which, one in (("first", record.first), ("second", record.second))
        if one.source.truncation
    ]
    return replace(record.first.source, truncation="; ".join(cut))


def other_model(_record: HeadComparison, settings: ComparisonSettings) -> str:
    """The second model; empty if it is the first one."""
    return settings.other_model.strip()
