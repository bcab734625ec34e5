"""One query's row, step by step, to files: all of its numbers as JSON, one row per key as CSV."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.figures.style import model_stem
from explorer.records import QueryRow
from explorer.records.table import Table
from explorer.views.inside.worksheet import WorksheetSettings
from explorer.views.inside.worksheet.compute import key_of


def data(row: QueryRow, settings: WorksheetSettings | None = None) -> dict[str, Any]:
    """A row's numbers, for the keys that the query may see.

    ``scaled`` is what goes into the softmax: scores·scale, soft-capped where ``softcap`` is
    given, plus ``bias``. A learned ``sink`` is in the softmax and is no key.
    """
    seen, parts = np.flatnonzero(row.parts.allowed), row.parts
    before = {} if row.q_before is None else {"q_before": row.q_before.tolist()}
    if row.k_before is not None:
        before["k_before"] = row.k_before[seen].tolist()
    capped = "" if parts.softcap is None else ", then softcap·tanh(it / softcap)"
    bias = "" if parts.bias is None else ", + bias"
    sink = "" if parts.sink is None else "; the sink’s exponential is in the sum as well"
    return {
        "stack": row.stack,
        "layer": row.layer,
        "head": row.head,
        "kv_head": row.kv_head,
        "query": row.query,
        "query_label": row.query_label,
        "keys": [row.labels[key] for key in seen],
        "key_positions": seen.tolist(),
        "q": row.q.tolist(),
        "k": row.k[seen].tolist(),
        "v": row.v[seen].tolist(),
        **before,
        "scale": parts.scale,
        "scores": row.products[seen].tolist(),
        "bias": None if parts.bias is None else parts.bias[seen].tolist(),
        "softcap": parts.softcap,
        "scaled": row.scaled[seen].tolist(),
        "weights": row.weights[seen].tolist(),
        "output": row.output.tolist(),
        "sink": parts.sink,
        "note": f"scaled = scores × scale{capped}{bias}; weights = softmax(scaled){sink}",
        "drawn_key": key_of(row, settings.key if settings else ""),
        "before_rotation": bool(settings and settings.before) and row.q_before is not None,
    }


def table(row: QueryRow, _settings: WorksheetSettings | None = None) -> Table:
    """One row per key that the query may see, in full precision; a learned sink's last.

    ``scaled`` is what goes into the softmax; ``exponential`` is e to its power, less the largest.
    """
    header = ["position", "key", "q·k", "bias", "scaled", "exponential", "weight", "‖v‖", "contribution"]
    columns = [
        row.products,
        row.parts.bias,
        row.scaled,
        row.exponentials,
        row.weights,
        row.value_lengths,
        row.contributions,
    ]
    rows: list[list[object]] = [
        [key, row.labels[key], *(None if values is None else values[key] for values in columns)]
        for key in np.flatnonzero(row.parts.allowed).tolist()
    ]
    if row.parts.sink is not None:
        weight = 1 - float(row.weights.sum())
        rows.append(["", "(learned sink)", "", "", row.parts.sink, row.sink_exponential, weight, "", ""])
    return Table.of(header, rows)


def stem(row: QueryRow, _settings: WorksheetSettings | None = None) -> str:
    """A file name with model, layer, head and query."""
    return f"{model_stem(row.source.model)}-layer{row.layer}-head{row.head}-query{row.query}"
