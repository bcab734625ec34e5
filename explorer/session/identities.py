"""The identities of a captured text, checked once."""

from __future__ import annotations

from explorer.analysis.identities import identities
from explorer.capture.loading import Progress
from explorer.records import Identity
from explorer.session.requests import TextRequest
from explorer.session.session import Session


def identities_of(session: Session, request: TextRequest, progress: Progress | None = None) -> tuple[Identity, ...]:
    """What must be true of any model, checked on a captured text.

    Raises:
        ValueError: a text the model cannot read.
        ModelError: the model cannot be loaded or failed.
    """
    request = session.read_of(request, progress)
    return session.get_or_compute(
        ("identities", request),
        lambda: identities(session.model(request.model, progress), session.capture(request, progress), progress),
        progress,
    )
