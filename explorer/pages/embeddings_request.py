"""What the browser keeps of a word study, and the study it stands for."""

from __future__ import annotations

from typing import Any

from explorer.records import StudyOptions, WordStudy
from explorer.session import Session, StudyRequest


def request_of(request: dict[str, Any]) -> StudyRequest:
    """The session's request out of what the browser keeps."""
    sentences = tuple((sense, sentence) for sense, sentence in request["sentences"])
    options = request["options"] | {"anchors": tuple(request["options"].get("anchors", ()))}
    return StudyRequest(request["model"], request["word"], sentences, StudyOptions(**options))


def study(session: Session, request: dict[str, Any]) -> WordStudy:
    """The word study out of what the browser keeps of it.

    Raises:
        ValueError: an unusable sentence or word.
        ModelError: the model cannot be loaded.
    """
    return session.study(request_of(request))
