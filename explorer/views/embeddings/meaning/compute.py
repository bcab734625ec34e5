"""What a word means now: the places that can be chosen, and the words read there."""

from __future__ import annotations

import textwrap

from explorer.analysis.readout import meaning
from explorer.capture.loading import Progress
from explorer.records import Meaning, WordStudy
from explorer.session.requests import StudyRequest
from explorer.session.session import Session
from explorer.views.embeddings.meaning import BY, MeaningSettings
from explorer.views.embeddings.study import study_of

SENSE = "sense:"  # what the choice of a sense's mean begins with


def places(study: WordStudy) -> dict[str, str]:
    """What can be read, and how it is named: each occurrence, and the mean of each sense."""
    named = {
        str(number): f"{occurrence.sentence + 1} · " + textwrap.shorten(occurrence.text, 60, placeholder=" …")
        for number, occurrence in enumerate(study.occurrences)
    }
    senses = dict.fromkeys(o.sense for o in study.occurrences)
    counts = {sense: sum(o.sense == sense for o in study.occurrences) for sense in senses}
    return named | {
        SENSE + sense: f"mean of {count} · {sense or 'no sense given'}" for sense, count in counts.items() if count > 1
    }


def members(study: WordStudy, place: str) -> tuple[int, ...]:
    """The occurrences that a choice of ``places`` stands for; the first where it is not there."""
    if place not in places(study):
        return (0,)
    if place.startswith(SENSE):
        sense = place.removeprefix(SENSE)
        return tuple(i for i, o in enumerate(study.occurrences) if o.sense == sense)
    return (int(place),)


def meaning_of(
    session: Session,
    request: StudyRequest,
    members: tuple[int, ...],
    by_head: bool = True,
    progress: Progress | None = None,
) -> Meaning:
    """What a study's word means at one of its occurrences, or the mean of several."""

    def read() -> Meaning:
        study = study_of(session, request, progress)
        if progress:
            progress("reading the word’s vectors", None)
        return meaning(session.model(request.model, progress), study, members, by_head)

    return session.get_or_compute(("meaning", request, members, by_head), read, progress)


def compute(session: Session, settings: MeaningSettings, progress: Progress | None = None) -> Meaning:
    """The words that the chosen vectors are read as.

    Raises:
        ValueError: an unusable sentence or word, or no such occurrence or sense.
        ModelError: the model cannot be loaded.
    """
    study = study_of(session, settings.study, progress)
    place = settings.meaning_of
    if place not in places(study):
        raise ValueError(
            f"meaning_of={place} is not a place of “{study.word}”: use 0 to {len(study.occurrences) - 1}, "
            "or sense: and a sense of two occurrences or more"
        )
    return meaning_of(session, settings.study, members(study, place), settings.read_by == BY[0], progress)
