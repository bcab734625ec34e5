"""A weight matrix as a linear map, to files."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import LinearMapPlanes
from explorer.records.table import Table
from explorer.views.inside.matrices import MatricesSettings


def data(record: LinearMapPlanes, _settings: MatricesSettings) -> dict[str, Any]:
    """Tokens and grid before and after the map.

    A token's place is in the plane before and in the plane after; so are the ends of the grid's
    lines, two for each. ``plane_map`` takes the first plane to the second.
    """
    tokens = zip(record.labels, record.before.tolist(), record.after.tolist(), strict=True)
    return {
        "stack": record.stack,
        "layer": record.layer,
        "head": record.head,
        "map": record.which,
        "map_of_head": record.of_head,
        "shared_by": record.shared,
        "tokens": [
            {"token": token, "label": label, **_places(before, after)}
            for token, (label, before, after) in enumerate(tokens, start=int(record.drop_first))
        ],
        "grid": [
            {"along": axis + 1, "line": number, "end": end, **_places(*places)}
            for axis, lines in enumerate(zip(record.grid_before, record.grid_after, strict=True))
            for number, ends in enumerate(zip(*(side.tolist() for side in lines), strict=True))
            for end, places in enumerate(zip(*ends, strict=True))
        ],
        "plane_map": record.plane_map.tolist(),
        "axis_lengths": record.lengths.tolist(),
        "area": record.area,
        "explained_variance_before": record.explained_before.tolist(),
        "explained_variance_after": record.explained_after.tolist(),
        "from_plane": record.from_plane,
        "singular_values": record.singular_values.tolist(),
        "directions_of_90_percent": record.carrying,
        "d_model": record.width,
        "d_head": record.d_head,
        "normalised_after": record.normalised,
        "rotated_after": record.rotated,
        "warnings": list(record.warnings),
    }


def _places(before: list[float], after: list[float]) -> dict[str, float]:
    return {"before_1": before[0], "before_2": before[1], "after_1": after[0], "after_2": after[1]}


def table(record: LinearMapPlanes, _settings: MatricesSettings | None = None) -> Table:
    """A row a token and an end of a grid's line, before and after."""
    rows: list[list[object]] = []
    pairs = zip(record.labels, record.before.tolist(), record.after.tolist(), strict=True)
    for place, (label, before, after) in enumerate(pairs, start=int(record.drop_first)):
        rows.append(["token", place, label, *before, *after])
    for axis in (0, 1):
        ends = record.grid_before[axis].reshape(-1, 2), record.grid_after[axis].reshape(-1, 2)
        for number, (before, after) in enumerate(zip(*(e.tolist() for e in ends), strict=True)):
            rows.append(["grid", number // 2, f"along axis {axis + 1}", *before, *after])
    return Table.of(["what", "place", "label", "before_1", "before_2", "after_1", "after_2"], rows)


def stem(record: LinearMapPlanes, _settings: MatricesSettings) -> str:
    """A file name that says which matrix it is."""
    return f"{model_stem(record.source.model)}-{record.stack}-layer{record.layer}-head{record.head}-{record.which}-map"
