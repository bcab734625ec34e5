"""Queries and keys as points, to files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from explorer.records import CapturedText, Pair, QueryKeyPoints
from explorer.saving.formats import versions


def points_json(shown: QueryKeyPoints, cap: CapturedText, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The points with all that made them; texts and tokens count from 0.

    A point is in the plane of both components; ``lines`` are the strong weights, strongest
    first, ``of_query`` those of the chosen query.

    Args:
        shown: the points.
        cap: the first of the texts.
        settings: what else was chosen (device, dtype, target text, …).
    """
    return {
        "kind": "points",
        "model": shown.model,
        "revision": cap.revision,
        "stack": shown.stack,
        "layer": shown.layer,
        "head": shown.head,
        "kv_head": shown.kv_head,
        "texts": [text.text for text in shown.texts],
        "pair": cap.pair,
        "query": shown.query,
        "query_label": shown.texts[0].queries[shown.query],
        "points": [
            {"what": what, "text": number, "token": token, "label": label, "x": x, "y": y}
            for number, text in enumerate(shown.texts)
            for what, labels, points in (
                ("query", text.queries, text.query_points),
                ("key", text.keys, text.key_points),
            )
            for token, (label, (x, y)) in enumerate(zip(labels, points.tolist(), strict=True))
            if not math.isnan(x)
        ],
        "origin": shown.origin.tolist(),
        "lines": [_line(shown, pair) for pair in shown.pairs],
        "of_query": [_line(shown, pair) for pair in shown.chosen],
        "explained_variance": shown.explained_variance.tolist(),
        "agreement": shown.agreement,
        "settings": {
            "before_rotation": shown.before,
            "keys_moved_to_queries": shown.met,
            "without_first_token": shown.drop_first,
            "least": shown.least,
            "truncation": shown.truncation or None,
            "warnings": list(shown.warnings),
            **(settings or {}),
        },
        "versions": versions(),
    }


def _line(shown: QueryKeyPoints, pair: Pair) -> dict[str, Any]:
    text = shown.texts[pair.text]
    return {
        "text": pair.text,
        "query": pair.query,
        "query_label": text.queries[pair.query],
        "key": pair.key,
        "key_label": text.keys[pair.key],
        "weight": pair.weight,
    }
