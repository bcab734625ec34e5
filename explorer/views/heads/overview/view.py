"""The picture of all heads: their small maps, or a number each."""

from __future__ import annotations

from explorer.analysis.measures import MEASURES
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import SEQUENTIAL, model_stem
from explorer.records import CapturedText, HeadNumbers
from explorer.records.source import truncation
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.heads.measured import measures_of
from explorer.views.heads.overview.compute import link_numbers, overview_of
from explorer.views.heads.overview.data import (
    maps_json,
    maps_picture,
    maps_table,
    numbers_json,
    numbers_picture,
    numbers_table,
)
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import TEXT, settings_of, text_request

MAPS, LINK = "maps", "link"
DEFAULTS: dict[str, Value] = {**TEXT, "stack": "", "show": MAPS, "query": "", "key": "", "palette": SEQUENTIAL}


def link_of(cap: CapturedText, state: State) -> HeadNumbers | None:
    """How much each head links the two tokens of a state; None where they are not both chosen.

    Raises:
        ValueError: a token that is no number, or that the text does not have.
    """
    chosen = [str(state["query"]), str(state["key"])]
    if not all(chosen):
        return None
    for what, place in zip(("query", "key"), chosen, strict=True):
        if not place.isdecimal():
            raise ValueError(f"{what}={place[:40]} is no token: give its number, counted from 0")
    return link_numbers(cap, int(chosen[0]), int(chosen[1]), str(state["stack"]) or None)


def numbers(session: Session, state: State) -> HeadNumbers | None:
    """What is shown of each head instead of its map; None where it is the maps.

    Raises:
        ValueError: something else to show, or tokens that there are not.
        ModelError: the model cannot be loaded or failed.
    """
    show, request = str(state["show"]), text_request(state)
    cap = session.capture(request)
    if show == LINK:
        return link_of(cap, state)
    if show in MEASURES:
        stack, measure = cap.stack(str(state["stack"]) or None).name, MEASURES[show]
        return HeadNumbers(measures_of(session, request, stack)[show], measure.title, measure.unit)
    if show != MAPS:
        raise ValueError(f"nothing is called '{show[:40]}': use {', '.join([MAPS, LINK, *MEASURES])}")
    return None


def make(session: Session, state: State) -> Exhibit:
    """The picture as it is saved."""
    request, show = text_request(state), str(state["show"])
    cap = session.capture(request)
    stack = cap.stack(str(state["stack"]) or None).name
    shown, maps = numbers(session, state), overview_of(session, request, stack)
    settings = {"target": state["target"] or None, **settings_of(session, state)}

    def picture(look: FigureStyle) -> SizedFigure:
        how = look.palette or str(state["palette"]), look.theme
        if shown is None:
            return maps_picture(cap, maps, *how)
        return numbers_picture(cap, stack, shown, *how)

    return KIND.exhibit(
        state,
        f"{model_stem(cap.model_name)}-{stack}-all-heads-{MAPS if shown is None else show}",
        result=lambda: maps_json(cap, maps, settings) if shown is None else numbers_json(cap, stack, shown, settings),
        table=lambda: maps_table(cap, maps) if shown is None else numbers_table(cap, stack, shown),
        figures={"grid": picture},
        truncation=truncation(cap.stack(stack)),
    )


KIND: Kind = Kind("overview", "the picture of all heads", "/", "map", DEFAULTS, make, ("grid",))
