"""One head's map, or several heads taken together."""

from __future__ import annotations

import re

from explorer.figures.style import SEQUENTIAL, model_stem
from explorer.records import HeadMap, MapOptions
from explorer.session.links import State, Value
from explorer.session.session import Session
from explorer.views.heads.heatmap.compute import Region, head_map
from explorer.views.heads.heatmap.data import heatmap_json, heatmap_picture, heatmap_table
from explorer.views.spec import Exhibit, Kind
from explorer.views.state import HEAD, settings_of, text_request

DEFAULTS: dict[str, Value] = {
    **HEAD,
    "mode": "map",
    "over": "head",
    "set": "",
    "norm": False,
    "words": False,
    "special": True,
    "part": "all",
    "log": False,
    "palette": SEQUENTIAL,
    "window": "",
}


_WINDOW = re.compile(r"(\d+)-(\d+),(\d+)-(\d+)", re.ASCII)


def drawn(session: Session, state: State, most: int | None = None) -> HeadMap:
    """The map of a state, in at most so many cells a side; of a window only that part.

    Raises:
        ValueError: a layer or head the model does not have, or an unreadable text.
        ModelError: the model cannot be loaded.
    """
    cap = session.capture(text_request(state))
    place = int(state["layer"]), int(state["head"]), str(state["stack"]) or None
    return head_map(cap, *place, switches_of(state, cap.pair), region_of(str(state["window"]), most))


def region_of(window: str, most: int | None = None) -> Region:
    """What is seen of a map: the part zoomed into, or all of it where no window is told.

    Args:
        window: "0-10,5-20" is the first ten rows and the columns 5 to 19.
        most: cells a side; of more, each cell is the largest weight of a block.

    Raises:
        ValueError: a window that is none.
    """
    if not window:
        return Region(most=most)
    found = _WINDOW.fullmatch(window)
    places = [int(place) for place in found.groups()] if found else [0, 0, 0, 0]
    top, bottom, left, right = places
    if top >= bottom or left >= right:
        raise ValueError(f"{window[:40]} is no part of a map: write its rows and columns, as 0-10,5-20")
    return Region((top, bottom), (left, right), most)


def switches_of(state: State, pair: str | None) -> MapOptions:
    """How the map is read; a part is one of a pair's only."""
    named = str(state["set"]).split(",") if state["over"] in ("mean", "max") else []
    heads = [name.split(".") for name in named if name]
    try:
        chosen = tuple((int(layer), int(head)) for layer, head in heads)
    except ValueError:
        raise ValueError(f"{state['set']} is no list of heads: write layer.head, as 1.8,2.0") from None
    return MapOptions(
        words=bool(state["words"]),
        special=bool(state["special"]),
        part=str(state["part"]) if pair else "all",
        over=str(state["over"]),
        heads=chosen,
        norm=bool(state["norm"]),
    )


def file_stem(shown: HeadMap) -> str:
    """A file name that says which head it is, or which are taken together."""
    model, over = model_stem(shown.model), shown.switches.over
    names = "-".join(f"{layer}.{head}" for layer, head in shown.switches.heads)
    head = f"head{shown.head}" if over == "head" else over
    which = f"{over}-{names}" if names else f"layer{shown.layer}-{head}"
    return f"{model}-{shown.stack}-{which}{'-norm' if shown.switches.norm else ''}"


def part_stem(window: str) -> str:
    """What a file's name says of the part that is zoomed into."""
    return f"-part{window.replace(',', '-')}" if window else ""


def make(session: Session, state: State) -> Exhibit:
    """The map as it is saved."""
    shown = drawn(session, state)
    log = bool(state["log"])
    settings = {
        "log": log,
        "window": state["window"] or None,
        "target": state["target"] or None,
        **settings_of(session, state),
    }
    return KIND.exhibit(
        state,
        file_stem(shown) + part_stem(str(state["window"])),
        result=lambda: heatmap_json(shown, settings),
        table=lambda: heatmap_table(shown),
        figures={"map": lambda look: heatmap_picture(shown, log, look.palette or str(state["palette"]), look.theme)},
        truncation=shown.truncation,
    )


KIND: Kind = Kind("heatmap", "the head’s map", "/", "map", DEFAULTS, make, ("map",))
