"""Every head as a point, near the heads with a similar attention pattern."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.analysis.measures import head_distance, head_points
from explorer.capture.loading import Progress
from explorer.records import CapturedText, FloatArray, HeadDistances
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.heads.distances import DistancesSettings
from explorer.views.heads.facts import facts_of_heads
from explorer.views.heads.measured import measures_of


def head_distances(
    cap: CapturedText, distances: FloatArray, measures: Mapping[str, FloatArray], stack: str | None = None
) -> HeadDistances:
    """Heads in a plane by their distances [L·H, L·H] from ``head_distance``, with their measures [L, H].

    Raises:
        ValueError: an unknown stack, or distances of another one.
    """
    source = cap.stack(stack)
    n_all = source.n_layers * source.n_heads
    if distances.shape != (n_all, n_all):
        raise ValueError(f"distances of {cap.model_name}'s heads have shape {(n_all, n_all)}, not {distances.shape}")
    others = np.where(np.eye(n_all, dtype=bool), np.inf, distances)
    single = n_all == 1
    return HeadDistances(
        source=Source.of(cap, stack),
        stack=source.name,
        points=head_points(distances, source.n_heads),
        nearest=np.array([-1]) if single else others.argmin(axis=1),
        nearest_distance=np.array([np.nan]) if single else others.min(axis=1),
        measures=dict(measures),
        facts=facts_of_heads(measures),
        n_tokens=len(source.query_tokens),
    )


def compute(session: Session, settings: DistancesSettings, progress: Progress | None = None) -> HeadDistances:
    """All heads of a text as points, near each other if they attend alike.

    Raises:
        ValueError: a stack the model does not have, or an unreadable text.
        ModelError: the model cannot be loaded or failed.
    """
    progress = progress or session.progress
    request = session.read_of(settings.request, progress)
    cap = session.capture(request, progress)
    stack = cap.stack(settings.stack or None).name

    def compare() -> HeadDistances:
        distances = head_distance(cap, stack, progress)
        return head_distances(cap, distances, measures_of(session, request, stack, progress), stack)

    return session.get_or_compute(("distances", request, stack), compare, progress)
