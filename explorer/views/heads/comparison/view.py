"""The chosen head, what it is compared with, and the difference."""

from __future__ import annotations

from dataclasses import replace

from explorer.capture.loading import Progress
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import CapturedText, HeadComparison
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.heads.comparison.compute import Side, compare_heads, comparison_table, sides_truncation
from explorer.views.heads.comparison.data import comparison_json, difference_picture, side_picture
from explorer.views.heads.heatmap.compute import options_of
from explorer.views.heads.page import MapSettings
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import settings_of, text_request

# Of the other side; what is empty is as on the first.
OTHER: dict[str, Value] = {"other_model": "", "other_text": "", "other_layer": "", "other_head": ""}
DEFAULTS: dict[str, Value] = {**MapSettings.defaults(), **OTHER}


def other_side(cap: CapturedText, state: State) -> tuple[TextRequest, int, int]:
    """What the chosen head is compared with: its text, its layer and its head.

    With all of its settings empty it is the next head (of several heads taken together, the next
    layer), so that the view opens on a difference. Another text is read without the first one's
    second text and target.

    Raises:
        ValueError: a layer or head that is no number.
    """
    request = text_request(state)
    layer, head = int(state["layer"]), int(state["head"])
    told = {name: str(state[name]).strip() for name in OTHER}
    if not any(told.values()):
        source = cap.stack(str(state["stack"]) or None)
        if state["aggregate"] == "head":
            head = (head + 1) % source.n_heads
        else:
            layer = (layer + 1) % source.n_layers
    if told["other_model"]:
        request = replace(request, model=told["other_model"])
    if told["other_text"]:
        request = replace(request, text=str(state["other_text"]), pair=None, target=None)
    return request, _number(told["other_layer"], layer), _number(told["other_head"], head)


def _number(typed: str, otherwise: int) -> int:
    if typed and not typed.isdecimal():
        raise ValueError(f"{typed[:40]} is no layer or head: give a number, counted from 0")
    return int(typed) if typed else otherwise


def sides(session: Session, state: State, tell: Progress | None = None) -> tuple[Side, Side]:
    """The two heads of a state, each captured now if it is not there.

    Raises:
        ValueError: a text the second model cannot read, or a head it does not have.
        ModelError: a model that cannot be loaded.
    """
    stack = str(state["stack"]) or None
    cap = session.capture(text_request(state), tell)
    request, layer, head = other_side(cap, state)
    other = session.capture(request, tell)
    first = Side(cap, int(state["layer"]), int(state["head"]), stack)
    second = Side(other, layer, head, stack if stack in other.stacks else None)
    for side in (first, second):
        side.source.attention(side.layer, side.head)  # says so if there is no such head
    return first, second


def drawn(session: Session, state: State) -> HeadComparison:
    """The comparison of a state.

    Raises:
        ValueError: a text the second model cannot read, or a head it does not have.
        ModelError: a model that cannot be loaded.
    """
    first, second = sides(session, state)
    return compare_heads(first, second, options_of(MapSettings.of(state), first.cap.pair))


def make(session: Session, state: State) -> Exhibit:
    """The comparison as it is saved."""
    shown = drawn(session, state)
    log = bool(state["log"])
    settings = {"log": log, "target": state["target"] or None, **settings_of(session, state)}
    names = [
        f"{model_stem(side.source.model)}-layer{side.layer}-head{side.head}" for side in (shown.first, shown.second)
    ]

    def side(place: int, look: FigureStyle) -> SizedFigure:
        palette = look.palette or str(state["palette"])
        return side_picture(shown, place, log, palette, look.theme)

    return KIND.exhibit(
        state,
        "-against-".join(names),
        result=lambda: comparison_json(shown, settings),
        table=lambda: comparison_table(shown),
        figures={
            "difference": lambda look: difference_picture(shown, look.theme),
            "first": lambda look: side(0, look),
            "second": lambda look: side(1, look),
        },
        truncation=sides_truncation(shown),
        other=lambda: str(state["other_model"]).strip(),
    )


KIND: Kind = Kind(
    "comparison", "the comparison", "/", "compare", DEFAULTS, make, ("difference", "first", "second"), "other_model"
)
