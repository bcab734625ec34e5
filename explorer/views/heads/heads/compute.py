"""The table of heads: a row a head, and columns of measures and of their values on shuffled tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import BestOffsets, CapturedText, FloatArray, HeadsTable, Null
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.heads.heads import PROBE, HeadsSettings
from explorer.views.heads.measured import best_offsets_of, induction_scores_of, measures_of, null_scores_of
from explorer.views.heads.overview.compute import chosen_link
from explorer.views.heads.page import LINK


def compute(session: Session, settings: HeadsSettings, progress: Progress | None = None) -> HeadsTable:
    """The table of a text, with the columns that the settings ask for.

    Raises:
        ValueError: an unknown stack or token, or an unreadable text.
        ModelError: the model cannot be loaded or failed.
    """
    request = settings.request
    cap = session.capture(request, progress)
    stack = cap.stack(settings.stack or None).name
    measures = measures_of(session, request, stack, progress)
    nulls = null_scores_of(session, request, stack, progress) if settings.nulls else {}
    offsets = best_offsets_of(session, request, stack, progress) if settings.nulls else None
    columns = head_columns(measures, nulls, offsets)
    link = chosen_link(cap, settings.query, settings.key, settings.stack)
    if link is not None:
        columns[LINK] = link.values
    if settings.probe:
        scores = induction_scores_of(session, request.model, progress)
        if scores.shape == columns["entropy"].shape:  # of the decoder, if there are two stacks
            columns[PROBE] = scores
    return replace(heads_table(cap, measures, nulls, stack), columns=columns, link=link.name if link else "")


def heads_table(
    cap: CapturedText, measures: Mapping[str, FloatArray], nulls: Mapping[str, Null], stack: str | None = None
) -> HeadsTable:
    """The table of a captured text, from the results of ``compute_all`` and ``nulls_of`` of its stack.

    Raises:
        ValueError: the capture has no stack of that name.
    """
    null = next(iter(nulls.values()), None)
    return HeadsTable(
        source=Source.of(cap, stack),
        stack=cap.stack(stack).name,
        columns=head_columns(measures, nulls),
        draws=null.draws if null else None,
        seed=null.seed if null else None,
    )


def head_columns(
    measures: Mapping[str, FloatArray], nulls: Mapping[str, Null], offsets: BestOffsets | None = None
) -> dict[str, FloatArray]:
    """The table's columns, each an array [L, H].

    A measure with a null also has the columns ``<measure>_null``, its mean over the draws, and
    ``<measure>_z``. ``offsets`` adds the columns ``offset``, in tokens, and ``offset_weight``.
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
    """A row a head, from [L, H] arrays by column: layer, head and the values; NaN becomes None."""
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
