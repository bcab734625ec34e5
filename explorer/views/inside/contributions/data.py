"""The head contributions, to files."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.figures.style import model_stem
from explorer.records import HeadOutputs
from explorer.records.table import Table
from explorer.views.inside.contributions.figure import cosines
from explorer.views.inside.page import InsideSettings


def data(record: HeadOutputs, settings: InsideSettings) -> dict[str, Any]:
    """Each head's vector, in the heads' order.

    ``sum`` is that of all heads and the output projection's bias; ``projected`` is the
    output of the projection itself, ``error`` their distance relative to its length.
    """
    total = record.added.sum(axis=0) + record.bias
    return {
        "stack": record.stack,
        "layer": record.layer,
        "query": record.query,
        "query_label": record.query_label,
        "accented_head": settings.head,
        "lengths": np.linalg.norm(record.added, axis=1).tolist(),
        "cosines": cosines(record.added).tolist(),
        "cosines_with_sum": cosines(np.vstack([record.added, total]))[-1, :-1].tolist(),
        "outputs": record.added.tolist(),
        "bias": record.bias.tolist(),
        "sum": total.tolist(),
        "projected": record.output.tolist(),
        "error": record.error,
    }


def table(record: HeadOutputs, _settings: InsideSettings | None = None) -> Table:
    """One row per head, for the bias and for the sum: length, cosine with the sum, vector."""
    total = record.added.sum(axis=0) + record.bias
    names = [*(f"head {head}" for head in range(len(record.added))), "bias", "sum"]
    rows: list[list[object]] = []
    for name, vector in zip(names, [*record.added, record.bias, total], strict=True):
        lengths = np.linalg.norm(vector), np.linalg.norm(total)
        cosine = float(vector @ total / (lengths[0] * lengths[1])) if all(lengths) else None
        rows.append([name, float(lengths[0]), cosine, *vector.tolist()])
    return Table.of(["part", "length", "cosine", *range(len(total))], rows)


def stem(record: HeadOutputs, _settings: InsideSettings) -> str:
    """A file name with model, layer and token."""
    return f"{model_stem(record.source.model)}-layer{record.layer}-query{record.query}-heads"
