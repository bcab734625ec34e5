"""What a word means now: the words that its vectors are read as."""

from __future__ import annotations

from explorer.figures.style import model_stem
from explorer.records import Meaning, WordStudy
from explorer.session.session import Session
from explorer.session.settings import State
from explorer.views.embeddings.meaning.compute import meaning_of, members, places
from explorer.views.embeddings.meaning.data import meaning_json, meaning_table
from explorer.views.embeddings.meaning.figure import meaning_picture
from explorer.views.embeddings.study import study_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import WORD, one_of, study_request, study_settings

BY = ("head", "static")
DEFAULTS = {**WORD, "meaning_of": "0", "read_by": BY[0]}


def members_of(study: WordStudy, state: State) -> tuple[int, ...]:
    """The occurrences whose vectors are read.

    Raises:
        ValueError: no such occurrence, or no such sense.
    """
    place = str(state["meaning_of"])
    if place not in places(study):
        raise ValueError(
            f"meaning_of={place} is no place of “{study.word}”: use 0 to "
            f"{len(study.occurrences) - 1}, or sense: and a sense of two occurrences or more"
        )
    return members(study, place)


def drawn(session: Session, state: State) -> Meaning:
    """The words of a state.

    Raises:
        ValueError: an unusable sentence, word or choice.
        ModelError: the model cannot be loaded.
    """
    request = study_request(state)
    chosen = members_of(study_of(session, request), state)
    return meaning_of(session, request, chosen, one_of(state, "read_by", BY) == "head")


def make(session: Session, state: State) -> Exhibit:
    """The words as they are saved."""
    shown, layer = drawn(session, state), int(state["layer"])
    settings = {"meaning_of": state["meaning_of"], "read_by": state["read_by"], **study_settings(session, state)}
    return KIND.exhibit(
        state,
        f"{model_stem(shown.model)}-{shown.word}-meaning",
        result=lambda: meaning_json(shown, settings),
        table=lambda: meaning_table(shown),
        figures={"meaning": lambda look: meaning_picture(shown, look.theme, layer)},
    )


KIND = Kind("meaning", "what the word means now", "/embeddings", "meaning", DEFAULTS, make, ("meaning",))
