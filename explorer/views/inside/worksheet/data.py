"""One query's row, step by step, to files: all of its numbers as JSON, a row a key as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.records import QueryRow
from explorer.records.table import Table
from explorer.saving.formats import versions


def worksheet_json(row: QueryRow, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A row's numbers, of the keys that the query may see only, with all that made it.

    ``scaled`` is what goes into the softmax: scores·scale, soft-capped where ``softcap`` is
    given, plus ``bias``. A learned sink (``settings``) takes part in the softmax and is no key.

    Args:
        row: one query of one head.
        settings: what else was chosen (device, dtype, target text, …).
    """
    seen, parts = np.flatnonzero(row.parts.allowed), row.parts
    before = {} if row.q_before is None else {"q_before": row.q_before.tolist()}
    if row.k_before is not None:
        before["k_before"] = row.k_before[seen].tolist()
    return {
        "kind": "worksheet",
        "model": row.model,
        "revision": row.revision,
        "stack": row.stack,
        "layer": row.layer,
        "head": row.head,
        "kv_head": row.kv_head,
        "text": row.text,
        "pair": row.pair,
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
        "settings": {"sink": parts.sink, "note": _note(row), "truncation": row.truncation or None, **(settings or {})},
        "versions": versions(),
    }


def worksheet_table(row: QueryRow) -> Table:
    """A row a key that the query may see, in full precision; a learned sink's last.

    ``scaled`` is what goes into the softmax; ``exponential`` is e to its power, less the
    largest. The first column's head says what of a truncated text is here.
    """
    corner = f"position (truncated: {row.truncation})" if row.truncation else "position"
    header = [corner, "key", "q·k", "bias", "scaled", "exponential", "weight", "‖v‖", "contribution"]
    bias = row.parts.bias
    rows: list[list[object]] = [
        [
            key,
            row.labels[key],
            row.products[key],
            None if bias is None else bias[key],
            row.scaled[key],
            row.exponentials[key],
            row.weights[key],
            row.value_lengths[key],
            row.contributions[key],
        ]
        for key in np.flatnonzero(row.parts.allowed).tolist()
    ]
    if row.parts.sink is not None:
        weight = 1 - float(row.weights.sum())
        rows.append(["", "(learned sink)", "", "", row.parts.sink, row.sink_exponential, weight, "", ""])
    return Table.of(header, rows)


def _note(row: QueryRow) -> str:
    """How the numbers lead to one another, in words."""
    capped = "" if row.parts.softcap is None else ", then softcap·tanh(it / softcap)"
    bias = "" if row.parts.bias is None else ", + bias"
    sink = "" if row.parts.sink is None else "; the sink’s exponential is in the sum as well"
    return f"scaled = scores × scale{capped}{bias}; weights = softmax(scaled){sink}"
