"""The strong weights of some heads of a layer as lines."""

from __future__ import annotations

from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import HeadLines
from explorer.session.links import State, Value
from explorer.session.session import Session
from explorer.views.heads.heatmap import view as heatmap
from explorer.views.heads.lines.compute import COUNT, MAX_HEADS, THRESHOLD, head_lines, lines_table
from explorer.views.heads.lines.data import lines_json
from explorer.views.heads.lines.figure import file_height, lines_caption, lines_figure
from explorer.views.spec import Exhibit, Kind
from explorer.views.state import settings_of, text_request

DEFAULTS: dict[str, Value] = {**heatmap.DEFAULTS, "with": "", "threshold": THRESHOLD, "count": COUNT}
_WIDTH = 700


def heads_of(state: State) -> list[int]:
    """The chosen head first, then those beside it, each once.

    Raises:
        ValueError: a head beside it is no number.
    """
    named = [name for name in str(state["with"]).split(",") if name]
    if not all(name.isdecimal() for name in named):
        raise ValueError(f"with={state['with']} is no list of heads: write numbers, as 1,5")
    return list(dict.fromkeys([int(state["head"]), *map(int, named)]))[:MAX_HEADS]


def drawn(session: Session, state: State) -> HeadLines:
    """The lines of a state.

    Raises:
        ValueError: a choice the model or the view does not have.
        ModelError: the model cannot be loaded.
    """
    cap = session.capture(text_request(state))
    return head_lines(
        cap,
        int(state["layer"]),
        heads_of(state),
        str(state["stack"]) or None,
        heatmap.switches_of(state, cap.pair),
        threshold=float(state["threshold"]),
        count=int(state["count"]),
    )


def make(session: Session, state: State) -> Exhibit:
    """The lines as they are saved."""
    shown = drawn(session, state)
    settings = {"target": state["target"] or None, **settings_of(session, state)}
    heads = "-".join(str(head) for head in shown.heads)

    def picture(look: FigureStyle) -> SizedFigure:
        figure = lines_figure(shown, look.theme)
        return SizedFigure(figure, lines_caption(shown), _WIDTH, file_height(shown), fixed=True)

    return KIND.exhibit(
        state,
        f"{model_stem(shown.model)}-{shown.stack}-layer{shown.layer}-heads{heads}-lines",
        result=lambda: lines_json(shown, settings),
        table=lambda: lines_table(shown),
        figures={"lines": picture},
        truncation=shown.truncation,
    )


KIND: Kind = Kind("lines", "the lines", "/", "lines", DEFAULTS, make, ("lines",))
