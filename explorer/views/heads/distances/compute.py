"""The distances view: every head a point, near the heads that look where it looks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.analysis.measures import head_distance, head_points
from explorer.capture.loading import Progress
from explorer.records import CapturedText, FloatArray, HeadDistances
from explorer.records.source import truncation
from explorer.records.table import Table
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.facts import facts_of_heads
from explorer.views.heads.measured import measures_of


def head_distances(
    cap: CapturedText, distances: FloatArray, measures: Mapping[str, FloatArray], stack: str | None = None
) -> HeadDistances:
    """Heads placed in a plane by their distances, each with its nearest and its measures.

    Args:
        cap: the captured text.
        distances: from ``head_distance`` of the same stack [L·H, L·H].
        measures: from ``compute_all``, [L, H] by name.
        stack: "encoder", "decoder" or "cross"; None means the only or first one.

    Raises:
        ValueError: a stack that there is not, or distances of another one.
    """
    source = cap.stack(stack)
    n_all = source.n_layers * source.n_heads
    if distances.shape != (n_all, n_all):
        raise ValueError(f"distances of {cap.model_name}'s heads have shape {(n_all, n_all)}, not {distances.shape}")
    others = np.where(np.eye(n_all, dtype=bool), np.inf, distances)
    alone = n_all == 1
    return HeadDistances(
        model=cap.model_name,
        revision=cap.revision,
        stack=source.name,
        text=cap.text,
        pair=cap.pair,
        points=head_points(distances, source.n_heads),
        nearest=np.array([-1]) if alone else others.argmin(axis=1),
        nearest_distance=np.array([np.nan]) if alone else others.min(axis=1),
        measures=dict(measures),
        facts=facts_of_heads(measures),
        n_tokens=len(source.query_tokens),
        truncation=truncation(source),
    )


def distances_table(drawn: HeadDistances) -> Table:
    """A row a head: its point, the head that is nearest in truth, and every measure.

    Of a truncated text a last, empty column is headed by what was left out.
    """
    rows: list[list[object]] = []
    n_heads = drawn.points.n_heads
    for place, (point, nearest, gap) in enumerate(
        zip(drawn.points.points, drawn.nearest, drawn.nearest_distance, strict=True)
    ):
        layer, head = divmod(place, n_heads)
        values = [gap, *(values[layer, head] for values in drawn.measures.values())]
        beside = divmod(int(nearest), n_heads) if nearest >= 0 else (None, None)
        rows.append([layer, head, *point.tolist(), *beside, *map(float, values)])
    header = ["layer", "head", "x", "y", "nearest_layer", "nearest_head", "nearest_distance"]
    table = Table.of([*header, *drawn.measures], rows)
    return table.cut(drawn.truncation)


def head_distances_of(
    session: Session, request: TextRequest, stack: str, progress: Progress | None = None
) -> HeadDistances:
    """All heads of a captured text as points, near each other where they look alike."""
    progress, request = progress or session.progress, session.read_of(request, progress)

    def compare() -> HeadDistances:
        cap = session.capture(request, progress)
        apart = head_distance(cap, stack, progress)
        return head_distances(cap, apart, measures_of(session, request, stack, progress), stack)

    return session.get_or_compute(("distances", request, stack), compare, progress)
