"""What a view's state says of the model and what it reads, and where it begins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from explorer.figures.style import model_label
from explorer.records import CapturedText, StudyOptions
from explorer.session.requests import EXAMPLE_ANCHORS, StudyRequest, TextRequest
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.text.example_sets import EXAMPLE_SETS, OPENING, OPENING_MODEL, OPENING_TEXT
from explorer.text.sentences import check_rows, parse_anchors, parse_sentences, sentences_text

# What every view of a text begins with, in the order an address tells it.
TEXT: dict[str, Value] = {"model": OPENING_MODEL, "text": OPENING_TEXT, "pair": "", "target": "", "truncate": False}
HEAD: dict[str, Value] = {**TEXT, "stack": "", "layer": 0, "head": 0}
# Of the inside of a head: the view first seen, and the token whose row is worked out.
INSIDE: dict[str, Value] = {**HEAD, "mode": "row", "query": 4}

DEFAULT_LAYER = 3
# What stands for the words of reference that come with the word; for another word there are none.

# What every view of a word begins with.
STUDY: dict[str, Value] = {
    "model": OPENING_MODEL,
    "word": OPENING.word,
    "sentences": sentences_text(OPENING.rows),
    "match_case": False,
    "inside": False,
    "which": "all",
    "echo": False,
    "anchors": EXAMPLE_ANCHORS,
}
WORD: dict[str, Value] = {**STUDY, "layer": DEFAULT_LAYER, "mode": "plane"}


def text_request(state: State) -> TextRequest:
    """What the session is asked for."""
    return TextRequest.of(state)


def text_state(request: TextRequest) -> State:
    """The same as a state."""
    return request.as_dict()


def stack_for(cap: CapturedText, asked: str | None) -> tuple[str, str]:
    """The stack that is shown where one is asked for, and what to say where there is none such."""
    if not asked or asked in cap.stacks:
        return asked or cap.stacks[0], ""
    first = cap.stacks[0]
    return first, f"{model_label(cap.model_name)} has no stack “{asked[:40]}”: {first} is shown"


def head_of(state: State) -> tuple[str | None, int, int]:
    """Which head: its stack (None: the only one, or the first), layer and number."""
    return str(state["stack"]) or None, int(state["layer"]), int(state["head"])


def study_request(state: State) -> StudyRequest:
    """The word study that the session is asked for.

    Raises:
        ValueError: no word, no sentence, or more than can be compared.
    """
    rows = parse_sentences(str(state["sentences"]))
    word = str(state["word"]).strip()
    if not word:
        raise ValueError("the word is empty: type the word to follow")
    check_rows(rows)
    options = StudyOptions(
        match_case=bool(state["match_case"]),
        inside=bool(state["inside"]),
        which=str(state["which"]),
        anchors=anchors_in(state),
        echo=bool(state["echo"]),
    )
    return StudyRequest(str(state["model"]), word, tuple(rows), options)


def sentences_told(rows: Sequence[tuple[str, str]]) -> str:
    """Senses and sentences as a state tells them; with tabs where a sense has a "|"."""
    plain = sentences_text(rows)
    if parse_sentences(plain) == list(rows):
        return plain
    return "\n".join(f"{sense}\t{sentence}" for sense, sentence in rows)


def study_settings(session: Session, state: State) -> dict[str, Any]:
    """What files tell of how a word was looked for, and of the loaded model."""
    named = ("match_case", "inside", "which", "echo")
    return {**{name: state[name] for name in named}, "anchors": list(anchors_in(state)), **settings_of(session, state)}


def anchors_in(state: State) -> tuple[str, ...]:
    """The words of reference of a state.

    Raises:
        ValueError: more than can be shown.
    """
    if state["anchors"] == EXAMPLE_ANCHORS:
        return _ready_anchors(str(state["word"]).strip())
    return parse_anchors(str(state["anchors"]))


def anchors_told(word: str, typed: str) -> str:
    """Words of reference as a state tells them.

    Raises:
        ValueError: more than can be shown.
    """
    anchors = parse_anchors(typed)
    return EXAMPLE_ANCHORS if anchors == _ready_anchors(word) else ", ".join(anchors)


def _ready_anchors(word: str) -> tuple[str, ...]:
    return next((ready.anchors for ready in EXAMPLE_SETS.values() if ready.word == word), ())


def one_of(state: State, name: str, options: Collection[str]) -> str:
    """A setting that is one of a few.

    Raises:
        ValueError: it is none of them.
    """
    value = str(state[name])
    if value not in options:
        raise ValueError(f"{name}={value} is no choice: use {', '.join(options)}")
    return value


def settings_of(session: Session, state: State) -> dict[str, Any]:
    """What files tell of the loaded model: its revision, device and precision."""
    loaded = session.model(str(state["model"]))
    return {"revision": loaded.revision, "device": loaded.device, "dtype": loaded.dtype}
