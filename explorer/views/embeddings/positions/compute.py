"""Where position enters: the model's positions, and a token's sum."""

from __future__ import annotations

from explorer.analysis.positions import embedding_sum, positions
from explorer.capture.loading import Progress
from explorer.records import EmbeddingSum, Positions
from explorer.session.session import Session


def positions_of(session: Session, model: str, progress: Progress | None = None) -> Positions:
    """How a model knows where a token stands."""
    return session.get_or_compute(("positions", model), lambda: positions(session.model(model, progress)), progress)


def embedding_sum_of(session: Session, model: str, text: str) -> EmbeddingSum:
    """What a model's first block is given of a text, as a sum."""
    return session.get_or_compute(("embedding sum", model, text), lambda: embedding_sum(session.model(model), text))
