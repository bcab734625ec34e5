"""The map of heads to files."""

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
    """A row a head: its point, the head that is nearest in truth, and every measure."""
    rows: list[list[object]] = []
    n_heads = record.points.n_heads
    for place, (point, nearest, gap) in enumerate(
        zip(record.points.points, record.nearest, record.nearest_distance, strict=True)
    ):
        layer, head = divmod(place, n_heads)
        values = [gap, *(values[layer, head] for values in record.measures.values())]
        beside = divmod(int(nearest), n_heads) if nearest >= 0 else (None, None)
        rows.append([layer, head, *point.tolist(), *beside, *map(float, values)])
    header = ["layer", "head", "x", "y", "nearest_layer", "nearest_head", "nearest_distance"]
    return Table.of([*header, *record.measures], rows)


def stem(record: HeadDistances, _settings: DistancesSettings) -> str:
    """A file name that says which stack it is of."""
    return f"{model_stem(record.source.model)}-{record.stack}-heads-distances"
