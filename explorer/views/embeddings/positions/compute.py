"""Where position enters: the model's positions, and a token's sum."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.analysis.positions import embedding_sum, positions
from explorer.capture.loading import Progress
from explorer.records import EmbeddingSum, Positions, WordStudy
from explorer.session.session import Session
from explorer.views.embeddings.positions import PositionsSettings
from explorer.views.embeddings.study import check_occurrence, study_of


def positions_of(session: Session, model: str, progress: Progress | None = None) -> Positions:
    """How a model knows where a token stands."""
    return session.get_or_compute(("positions", model), lambda: positions(session.model(model, progress)), progress)


def embedding_sum_of(session: Session, model: str, text: str) -> EmbeddingSum:
    """The input of a model's first block for a text, as a sum."""
    return session.get_or_compute(("embedding sum", model, text), lambda: embedding_sum(session.model(model), text))


@dataclass(frozen=True)
class WordPositions:
    """A model's positions, a sentence's sum, and the word's token in it."""

    study: WordStudy
    positions: Positions
    embedding_sum: EmbeddingSum
    token: int


def compute(session: Session, settings: PositionsSettings, progress: Progress | None = None) -> WordPositions:
    """How the model tells positions apart, and what a sentence's tokens are the sum of.

    Raises:
        ValueError: an unusable sentence or word, or no such occurrence.
        ModelError: the model cannot be loaded, or failed.
    """
    study = study_of(session, settings.study, progress)
    check_occurrence(study, "positions_of", settings.positions_of)
    occurrence = study.occurrences[settings.positions_of]
    found = positions_of(session, settings.model, progress)
    return WordPositions(study, found, embedding_sum_of(session, settings.model, occurrence.text), occurrence.position)
