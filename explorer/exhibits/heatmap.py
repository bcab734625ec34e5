"""One head's map, or several heads taken together."""

from __future__ import annotations

from explorer.exhibits.exhibit import Exhibit, Kind
from explorer.exhibits.state import HEAD, settings_of, text_request
from explorer.export.heatmap import heatmap_json, heatmap_picture, heatmap_table
from explorer.figures.style import SEQUENTIAL, model_stem
from explorer.links import State, Value
from explorer.records import HeadMap, MapSwitches
from explorer.session import Session
from explorer.views.maps import WHOLE, Region, head_map

DEFAULTS: dict[str, Value] = {
    **HEAD, "mode": "map", "over": "head", "set": "", "norm": False, "words": False,
    "special": True, "part": "all", "log": False, "palette": SEQUENTIAL,
}  # fmt: skip


def drawn(session: Session, state: State, region: Region = WHOLE) -> HeadMap:
    """The map of a state, or a region of it.

    Raises:
        ValueError: a layer or head the model does not have, or an unreadable text.
        ModelError: the model cannot be loaded.
    """
    cap = session.capture(text_request(state))
    place = int(state["layer"]), int(state["head"]), str(state["stack"]) or None
    return head_map(cap, *place, switches_of(state, cap.pair), region)


def switches_of(state: State, pair: str | None) -> MapSwitches:
    """How the map is read; a part is one of a pair's only."""
    named = str(state["set"]).split(",") if state["over"] in ("mean", "max") else []
    heads = [name.split(".") for name in named if name]
    try:
        chosen = tuple((int(layer), int(head)) for layer, head in heads)
    except ValueError:
        raise ValueError(
            f"{state['set']} is no list of heads: write layer.head, as 1.8,2.0"
        ) from None
    return MapSwitches(
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


def make(session: Session, state: State) -> Exhibit:
    """The map as it is saved."""
    shown = drawn(session, state)
    log = bool(state["log"])
    settings = {"log": log, "target": state["target"] or None, **settings_of(session, state)}
    return Exhibit(
        kind=KIND.name,
        link=KIND.link(state),
        state=state,
        stem=file_stem(shown),
        result=lambda: heatmap_json(shown, settings),
        table=lambda: heatmap_table(shown),
        figures={
            "map": lambda look: heatmap_picture(
                shown, log, look.palette or str(state["palette"]), look.theme
            )
        },
    )


KIND: Kind = Kind("heatmap", "the head’s map", "/", "map", DEFAULTS, make, ("map",))
