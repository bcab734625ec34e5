"""Every two occurrences of a word, and the senses that their vectors propose."""

from __future__ import annotations

from explorer.figures.style import model_stem
from explorer.records import WordSimilarity, WordStudy
from explorer.session.session import Session
from explorer.session.settings import State
from explorer.views.embeddings.similarity.compute import similarity_table, word_similarity_of
from explorer.views.embeddings.similarity.data import similarity_json
from explorer.views.embeddings.similarity.figure import similarity_picture
from explorer.views.embeddings.study import study_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import WORD, one_of, study_request, study_settings

RAW, CORRECTED = "cosine", "corrected"
DEFAULTS = {**WORD, "values": RAW}


def drawn(session: Session, state: State) -> tuple[WordStudy, WordSimilarity, bool]:
    """The word, its cosines, and whether the layer's anisotropy is taken from them.

    Raises:
        ValueError: an unusable sentence, word, layer or choice.
        ModelError: the model cannot be loaded.
    """
    request = study_request(state)
    corrected = one_of(state, "values", (RAW, CORRECTED)) == CORRECTED
    shown = word_similarity_of(session, request, int(state["layer"]))
    return study_of(session, request), shown, corrected


def make(session: Session, state: State) -> Exhibit:
    """The matrix as it is saved."""
    study, shown, corrected = drawn(session, state)
    settings = {"values": state["values"], **study_settings(session, state)}
    return KIND.exhibit(
        state,
        f"{model_stem(study.model)}-{study.word}-layer{shown.layer}-similarity",
        result=lambda: similarity_json(study, shown, settings),
        table=lambda: similarity_table(study, shown, corrected),
        figures={"similarity": lambda look: similarity_picture(study, shown, corrected, look.theme)},
    )


KIND = Kind("similarity", "the occurrences’ similarity", "/embeddings", "similarity", DEFAULTS, make, ("similarity",))
