"""A head's linear map as what it does to a plane and its grid."""

from __future__ import annotations

from dataclasses import replace

from explorer.figures.caption import AXIS, legend_above
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import Moves
from explorer.records.source import truncation
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.matrices.compute import MAPS, moves, moves_table
from explorer.views.inside.matrices.data import moves_json
from explorer.views.inside.matrices.figure import brought_back, moves_caption, moves_figure
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import INSIDE, head_of, settings_of, text_request

# ``share``: how far the right picture has come from before (0) to after (1).
DEFAULTS: dict[str, Value] = {**INSIDE, "map": MAPS[0], "first": True, "share": 1.0}
_WIDTH, _HEIGHT = 1040, 500


def drawn(session: Session, state: State) -> Moves:
    """The move of a state.

    Raises:
        ValueError: a layer, head, stack or map there is not.
        ModelError: the model failed, was captured eagerly, or how it keeps its maps is not known.
    """
    request, (stack, layer, head) = text_request(state), head_of(state)
    maps = head_maps_of(session, request, stack, layer, head)
    source = session.capture(request).stack(stack)
    shown = moves(maps, str(state["map"]), source.n_heads, source.n_kv_heads, not state["first"])
    return replace(shown, truncation=truncation(source))


def token_of(shown: Moves, query: int) -> int | None:
    """The query among the tokens shown; none where those are another text's keys."""
    if shown.stack == "cross" and shown.which != "query":
        return None
    place = min(max(query, 0), len(shown.labels) - 1 + shown.drop_first) - shown.drop_first
    return place if place >= 0 else None


def make(session: Session, state: State) -> Exhibit:
    """The move as it is saved.

    Raises:
        ValueError: also a share that is none.
    """
    share = float(state["share"])
    if not 0 <= share <= 1:
        raise ValueError(f"share {share:g} is out of range: use 0 (before) to 1 (after)")
    shown, cap = drawn(session, state), session.capture(text_request(state))
    settings = {"target": state["target"] or None, "share": share, **settings_of(session, state)}
    model = model_stem(shown.model)

    def picture(look: FigureStyle) -> SizedFigure:
        figure = moves_figure(shown, token_of(shown, int(state["query"])), look.theme)
        legend_above(brought_back(figure, share), _WIDTH)
        return SizedFigure(figure, moves_caption(shown, share), _WIDTH, _HEIGHT, AXIS)

    return KIND.exhibit(
        state,
        f"{model}-{shown.stack}-layer{shown.layer}-head{shown.head}-{shown.which}-map",
        result=lambda: moves_json(shown, cap, settings),
        table=lambda: moves_table(shown),
        figures={"moves": picture},
        truncation=shown.truncation,
    )


KIND: Kind = Kind("moves", "the map as a move", "/inside", "moves", DEFAULTS, make, ("moves",))
