"""What a session is asked for, and what it tells of a model."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records import ANY_PLACE, CapturedText, StudyOptions
from explorer.views.heads.heatmap.compute import truncation


@dataclass(frozen=True)
class TextRequest:
    """A model and what it is to read; the same request is captured once.

    With ``truncate`` a text longer than the model reads is cut instead of refused.
    """

    model: str
    text: str
    pair: str | None = None
    target: str | None = None
    truncate: bool = False


def request_of(cap: CapturedText, target: str | None = None) -> TextRequest:
    """What was asked for when a text was captured."""
    cut = bool(truncation(cap.stack(cap.stacks[-1])))
    return TextRequest(cap.model_name, cap.text, cap.pair, target, cut)


@dataclass(frozen=True)
class StudyRequest:
    """A model, the word to follow, and the (sense, sentence) pairs it is looked for in."""

    model: str
    word: str
    sentences: tuple[tuple[str, str], ...]
    options: StudyOptions = ANY_PLACE


@dataclass(frozen=True)
class ModelFacts:
    """What the page's bar tells of a loaded model, and which fields it needs."""

    line: str
    takes_pairs: bool
    is_encoder_decoder: bool
