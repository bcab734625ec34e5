"""What a view's state says of the model and what it reads, and where it begins."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_label
from explorer.links import State, Value
from explorer.ready_sets import OPENING_MODEL, OPENING_TEXT
from explorer.records import CapturedText
from explorer.session import Session, TextRequest

# What every view of a text begins with, in the order an address tells it.
TEXT: dict[str, Value] = {
    "model": OPENING_MODEL, "text": OPENING_TEXT, "pair": "", "target": "", "truncate": False,
}  # fmt: skip
HEAD: dict[str, Value] = {**TEXT, "stack": "", "layer": 0, "head": 0}
# Of the inside of a head: the view first seen, and the token whose row is worked out.
INSIDE: dict[str, Value] = {**HEAD, "mode": "row", "query": 4}


def text_request(state: State) -> TextRequest:
    """What the session is asked for."""
    return TextRequest(
        str(state["model"]), str(state["text"]), str(state["pair"]) or None,
        str(state["target"]) or None, bool(state["truncate"]),
    )  # fmt: skip


def text_state(request: TextRequest) -> State:
    """The same as a state tells it."""
    return {
        "model": request.model, "text": request.text, "pair": request.pair or "",
        "target": request.target or "", "truncate": request.truncate,
    }  # fmt: skip


def stack_for(cap: CapturedText, asked: str | None) -> tuple[str, str]:
    """The stack that is shown where one is asked for, and what to say where there is none such."""
    if not asked or asked in cap.stacks:
        return asked or cap.stacks[0], ""
    first = cap.stacks[0]
    return first, f"{model_label(cap.model_name)} has no stack “{asked[:40]}”: {first} is shown"


def head_of(state: State) -> tuple[str | None, int, int]:
    """Which head: its stack (None: the only one, or the first), layer and number."""
    return str(state["stack"]) or None, int(state["layer"]), int(state["head"])


def settings_of(session: Session, state: State) -> dict[str, Any]:
    """What files tell of the loaded model: its revision, device and precision."""
    loaded = session.model(str(state["model"]))
    return {"revision": loaded.revision, "device": loaded.device, "dtype": loaded.dtype}
