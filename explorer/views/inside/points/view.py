"""Queries and keys of a head as points in one plane."""

from __future__ import annotations

from dataclasses import replace

from explorer.figures.caption import AXIS, legend_above
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import QueryKeyPoints
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.points.compute import PointSwitches, points_table, query_key_points
from explorer.views.inside.points.data import points_json
from explorer.views.inside.points.figure import TEXTS, points_caption, points_figure
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import INSIDE, head_of, settings_of, text_request

LEAST = 0.2
WHEN, WHERE = ("after", "before"), ("own", "met")
# ``when``: after or before rotation; ``keys``: where they are, or moved to the queries; ``least``:
# weight of a line; ``first``: the first token is shown; ``texts``: further ones, a line each.
DEFAULTS: dict[str, Value] = {**INSIDE, "when": "after", "keys": "own", "least": LEAST, "first": True, "texts": ""}
_WIDTH, _HEIGHT = 760, 640


def texts_of(state: State) -> list[TextRequest]:
    """What is read: the page's text, then the further ones.

    Raises:
        ValueError: more texts than there are marks.
    """
    asked = text_request(state)
    further = [line.strip() for line in str(state["texts"]).splitlines() if line.strip()]
    if len(further) >= TEXTS:
        raise ValueError(f"{len(further)} further texts are too many: give at most {TEXTS - 1}, one a line")
    return [asked, *(replace(asked, text=text, pair=None, target=None) for text in further)]


def drawn(session: Session, state: State) -> tuple[QueryKeyPoints, list[str]]:
    """The points of a state, and what is to be remarked.

    Raises:
        ValueError: a choice that is none, a layer, head or stack there is not, too many texts,
            or an unreadable one.
        ModelError: the model failed, was captured eagerly, or how it makes queries and keys is
            not known.
    """
    for name, known in (("when", WHEN), ("keys", WHERE)):
        if state[name] not in known:
            raise ValueError(f"{name}={state[name]} is unknown: use {' or '.join(known)}")
    least = float(state["least"])
    if not 0 <= least <= 1:
        raise ValueError(f"lines from weight {least:g} cannot be drawn: use 0 to 1")
    stack, layer, head = head_of(state)
    requests, unrotated = texts_of(state), state["when"] == "before"
    caps = [session.capture(request) for request in requests]
    maps = [head_maps_of(session, request, stack, layer, head) for request in requests] if unrotated else []
    before = any(one.rotated for one in maps)
    switches = PointSwitches(before, state["keys"] == "met", not state["first"], least)
    shown = query_key_points(caps, layer, head, int(state["query"]), stack, maps, switches)
    same = "this model rotates no queries and keys: there is no before"
    return shown, [same] if unrotated and not before else []


def make(session: Session, state: State) -> Exhibit:
    """The points as they are saved."""
    shown, _ = drawn(session, state)
    cap = session.capture(text_request(state))
    settings = {"target": state["target"] or None, **settings_of(session, state)}
    when = "-before-rotation" if shown.before else ""
    model = model_stem(shown.model)

    def points(look: FigureStyle) -> SizedFigure:
        figure = legend_above(points_figure(shown, look.theme), _WIDTH)
        return SizedFigure(figure, points_caption(shown), _WIDTH, _HEIGHT, AXIS)

    return KIND.exhibit(
        state,
        f"{model}-{shown.stack}-layer{shown.layer}-head{shown.head}-points{when}",
        result=lambda: points_json(shown, cap, settings),
        table=lambda: points_table(shown),
        figures={"points": points},
        truncation=shown.truncation,
    )


KIND: Kind = Kind("points", "queries and keys as points", "/inside", "points", DEFAULTS, make, ("points",))
