"""Where position enters: the model's positions, and a token's sum."""

from __future__ import annotations

from explorer.figures.style import model_stem
from explorer.records import EmbeddingSum, Positions
from explorer.session.session import Session
from explorer.session.settings import State
from explorer.views.embeddings.positions.compute import embedding_sum_of, positions_of
from explorer.views.embeddings.positions.data import positions_json, positions_table
from explorer.views.embeddings.positions.figure import positions_picture
from explorer.views.embeddings.study import study_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import WORD, study_request, study_settings

DEFAULTS = {**WORD, "positions_of": 0}


def drawn(session: Session, state: State) -> tuple[Positions, EmbeddingSum, int]:
    """The model's positions, a sentence's entrance, and the word's token in it.

    Raises:
        ValueError: an unusable sentence or word, or no such occurrence.
        ModelError: the model cannot be loaded, or failed.
    """
    study, place = study_of(session, study_request(state)), int(state["positions_of"])
    last = len(study.occurrences) - 1
    if not 0 <= place <= last:
        raise ValueError(f"positions_of={place} is no place of “{study.word}”: use 0 to {last}")
    occurrence, model = study.occurrences[place], str(state["model"])
    return positions_of(session, model), embedding_sum_of(session, model, occurrence.text), occurrence.position


def make(session: Session, state: State) -> Exhibit:
    """Positions and sum as they are saved."""
    shown, given, token = drawn(session, state)
    settings = {"positions_of": state["positions_of"], **study_settings(session, state)}
    return KIND.exhibit(
        state,
        f"{model_stem(shown.model)}-positions",
        result=lambda: positions_json(shown, given, token, settings),
        table=lambda: positions_table(shown, given),
        figures={"positions": lambda look: positions_picture(shown, given, token, look.theme)},
    )


KIND = Kind("positions", "where position enters", "/embeddings", "positions", DEFAULTS, make, ("positions",))
