"""The table of heads: a row a head, a column a measure and what shuffled tokens give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.records import BestOffsets, CapturedText, FloatArray, HeadsTable, Null
from explorer.records.source import truncation

PROBE = "probe"  # the column of the induction probe


def heads_table(
    cap: CapturedText, measures: Mapping[str, FloatArray], nulls: Mapping[str, Null], stack: str | None = None
) -> HeadsTable:
    """The table of a captured text.

    Args:
        cap: the captured text.
        measures: values [L, H] by the measure's name, as ``compute_all`` gives them.
        nulls: as ``nulls_of`` gives them; empty for a table without.
        stack: of which stack they are; None means the only one, or the first.

    Raises:
        ValueError: the capture has no stack of that name.
    """
    null = next(iter(nulls.values()), None)
    return HeadsTable(
        model=cap.model_name,
        revision=cap.revision,
        stack=cap.stack(stack).name,
        text=cap.text,
        pair=cap.pair,
        columns=head_columns(measures, nulls),
        draws=null.draws if null else None,
        seed=null.seed if null else None,
        truncation=truncation(cap.stack(stack)),
    )


def head_columns(
    measures: Mapping[str, FloatArray], nulls: Mapping[str, Null], offsets: BestOffsets | None = None
) -> dict[str, FloatArray]:
    """The table's columns, each an array [L, H].

    Args:
        measures: values of every head by the measure's name.
        nulls: what some of them give on shuffled tokens, by name; beside each of these
            stand ``<measure>_null``, the mean over the draws, and ``<measure>_z``.
        offsets: the fixed offset that gathers most weight, as ``best_offset`` gives it:
            columns ``offset``, in tokens, and ``offset_weight``.
    """
    columns: dict[str, FloatArray] = {}
    for name, values in measures.items():
        columns[name] = values
        if name in nulls:
            columns[f"{name}_null"] = nulls[name].mean
            columns[f"{name}_z"] = nulls[name].z
    if offsets is not None:
        columns |= {"offset": offsets.offsets.astype(float), "offset_weight": offsets.scores}
    return columns


def head_rows(columns: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """A row a head out of [L, H] arrays by column: layer, head, the values; NaN is None."""
    n_layers, n_heads = next(iter(columns.values())).shape
    return [
        {"layer": layer, "head": head}
        | {
            name: None if np.isnan(values[layer, head]) else float(values[layer, head])
            for name, values in columns.items()
        }
        for layer in range(n_layers)
        for head in range(n_heads)
    ]
