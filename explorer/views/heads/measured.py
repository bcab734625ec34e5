"""The measures of every head of a captured text, each computed once and cached."""

from __future__ import annotations

from explorer.analysis.experiments import induction_probe, nulls_of
from explorer.analysis.measures import best_offset, compute_all
from explorer.capture.loading import Progress
from explorer.records import BestOffsets, FloatArray, Null
from explorer.session.requests import TextRequest
from explorer.session.session import Session


def measures_of(
    session: Session, request: TextRequest, stack: str, progress: Progress | None = None
) -> dict[str, FloatArray]:
    """Every measure of a captured text, by name: [L, H] each."""
    progress, request = progress or session.progress, session.read_of(request, progress)
    return session.get_or_compute(
        ("measures", request, stack),
        lambda: compute_all(session.capture(request, progress), stack, progress=progress),
        progress,
    )


def null_scores_of(
    session: Session, request: TextRequest, stack: str, progress: Progress | None = None
) -> dict[str, Null]:
    """Every measure on the same tokens in random order, by name."""
    progress, request = progress or session.progress, session.read_of(request, progress)
    return session.get_or_compute(
        ("nulls", request, stack),
        lambda: nulls_of(session.capture(request, progress), stack=stack, progress=progress),
        progress,
    )


def best_offsets_of(
    session: Session, request: TextRequest, stack: str, progress: Progress | None = None
) -> BestOffsets | None:
    """The fixed offset with most of each head's weight; None for cross attention."""
    if stack == "cross":
        return None
    progress, request = progress or session.progress, session.read_of(request, progress)
    return session.get_or_compute(
        ("offsets", request, stack), lambda: best_offset(session.capture(request, progress), stack, progress), progress
    )


def induction_scores_of(session: Session, model: str, progress: Progress | None = None) -> FloatArray:
    """Induction scores [L, H] of a model on repeated random tokens."""
    progress = progress or session.progress
    return session.get_or_compute(
        ("induction", model), lambda: induction_probe(session.model(model, progress), progress=progress), progress
    )
