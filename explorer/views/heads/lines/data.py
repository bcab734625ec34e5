"""The strong weights of some heads to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from explorer.records import HeadLines
from explorer.saving.formats import versions


def lines_json(drawn: HeadLines, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The lines, strongest first, with all that made them.

    Args:
        drawn: the lines.
        settings: what else was chosen (device, dtype, target text, …).
    """
    lines = zip(
        drawn.line_heads.tolist(),
        drawn.line_queries.tolist(),
        drawn.line_keys.tolist(),
        drawn.weights.tolist(),
        strict=True,
    )
    return {
        "kind": "lines",
        "model": drawn.model,
        "revision": drawn.revision,
        "stack": drawn.stack,
        "layer": drawn.layer,
        "heads": list(drawn.heads),
        "text": drawn.text,
        "pair": drawn.pair,
        "queries": list(drawn.queries),
        "keys": list(drawn.keys),
        "lines": [
            {"head": drawn.heads[place], "query": query, "key": key, "weight": weight}
            for place, query, key, weight in lines
        ],
        "above": drawn.above,
        "shares": list(drawn.shares),
        "settings": {
            "threshold": drawn.threshold,
            "count": drawn.count,
            **asdict(drawn.switches),
            "truncation": drawn.truncation or None,
            **(settings or {}),
        },
        "versions": versions(),
    }
