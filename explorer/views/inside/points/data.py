"""Queries and keys as points, to files."""

from __future__ import annotations

import math
from typing import Any

from explorer.figures.style import model_stem
from explorer.records import Pair, QueryKeyPoints
from explorer.records.table import Table
from explorer.views.inside.points import PointsSettings


def data(record: QueryKeyPoints, _settings: PointsSettings) -> dict[str, Any]:
    """The points, and the lines of large weights; texts and tokens count from 0.

    A point is in the plane of both components; ``lines`` are strongest first, ``of_query`` those
    of the chosen query.
    """
    return {
        "stack": record.stack,
        "layer": record.layer,
        "head": record.head,
        "kv_head": record.kv_head,
        "texts": [text.text for text in record.texts],
        "query": record.query,
        "query_label": record.texts[0].queries[record.query],
        "points": [
            {"what": what, "text": number, "token": token, "label": label, "x": x, "y": y}
            for what, number, token, label, (x, y) in _points(record)
        ],
        "origin": record.origin.tolist(),
        "lines": [_line(record, pair) for pair in record.pairs],
        "of_query": [_line(record, pair) for pair in record.chosen],
        "explained_variance": record.explained_variance.tolist(),
        "agreement": record.agreement,
        "before_rotation": record.before,
        "warnings": list(record.warnings),
    }


def _points(record: QueryKeyPoints) -> list[tuple[str, int, int, str, list[float]]]:
    """Each point: query or key, its text, token and label, and its coordinates."""
    return [
        (what, number, token, label, point)
        for number, text in enumerate(record.texts)
        for what, labels, points in (("query", text.queries, text.query_points), ("key", text.keys, text.key_points))
        for token, (label, point) in enumerate(zip(labels, points.tolist(), strict=True))
        if not math.isnan(point[0])
    ]


def _line(record: QueryKeyPoints, pair: Pair) -> dict[str, Any]:
    text = record.texts[pair.text]
    return {
        "text": pair.text,
        "query": pair.query,
        "query_label": text.queries[pair.query],
        "key": pair.key,
        "key_label": text.keys[pair.key],
        "weight": pair.weight,
    }


def table(record: QueryKeyPoints, _settings: PointsSettings | None = None) -> Table:
    """One row per query, key and line; texts and tokens count from 0."""
    rows: list[list[object]] = [
        [what, number, token, label, *point, None, None, None] for what, number, token, label, point in _points(record)
    ]
    rows.append(["origin", None, None, None, *record.origin.tolist(), None, None, None])
    # The same weight read from one row and from all may differ in its last digits.
    lines = {(pair.text, pair.query, pair.key): pair for pair in (*record.chosen, *record.pairs)}
    for pair in sorted(lines.values(), key=lambda pair: -pair.weight):
        text = record.texts[pair.text]
        names = text.queries[pair.query], text.keys[pair.key]
        rows.append(["line", pair.text, pair.query, names[0], None, None, pair.key, names[1], pair.weight])
    return Table.of(["what", "text", "token", "label", "x", "y", "key", "key_label", "weight"], rows)


def stem(record: QueryKeyPoints, _settings: PointsSettings) -> str:
    """A file name that says which head they are of."""
    when = "-before-rotation" if record.before else ""
    return f"{model_stem(record.source.model)}-{record.stack}-layer{record.layer}-head{record.head}-points{when}"
