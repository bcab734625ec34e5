"""The map of heads as data."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import HeadDistances
from explorer.records.table import Table
from explorer.views.heads.distances import DistancesSettings
from explorer.views.heads.heads.data import about_measures


def data(record: HeadDistances, settings: DistancesSettings | None = None) -> dict[str, Any]:
    """A row a head: its point, its nearest, every measure."""
    rows = table(record, settings)
    return {
        "stack": record.stack,
        "heads": [dict(zip(rows.header, row, strict=True)) for row in rows.rows],
        "stress": record.points.stress,
        "n_tokens": record.n_tokens,
        "measures": about_measures(record.measures),
    }


def table(record: HeadDistances, _settings: DistancesSettings | None = None) -> Table:
    """A row a head: its point, the head at the smallest distance before the projection, and every measure."""
    rows: list[list[object]] = []
    n_heads = record.points.n_heads
    columns = zip(record.points.points, record.nearest, record.nearest_distance, strict=True)
    for index, (point, nearest, distance) in enumerate(columns):
        layer, head = divmod(index, n_heads)
        values = [distance, *(values[layer, head] for values in record.measures.values())]
        nearest_head = divmod(int(nearest), n_heads) if nearest >= 0 else (None, None)
        rows.append([layer, head, *point.tolist(), *nearest_head, *map(float, values)])
    header = ["layer", "head", "x", "y", "nearest_layer", "nearest_head", "nearest_distance"]
    return Table.of([*header, *record.measures], rows)


def stem(record: HeadDistances, _settings: DistancesSettings) -> str:
    """A file name with the model and the stack."""
    return f"{model_stem(record.source.model)}-{record.stack}-heads-distances"
