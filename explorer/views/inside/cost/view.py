"""Who shares keys and values with whom, and what attention takes in memory and work."""

from __future__ import annotations

from explorer.figures.caption import AXIS
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import Costs, CostSettings
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.inside.cost.compute import costs, sharings
from explorer.views.inside.cost.data import costs_json, costs_table
from explorer.views.inside.cost.figure import cache_figure, cost_caption, operations_figure
from explorer.views.inside.cost.sharing_figure import sharing_caption, sharing_figure
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import INSIDE, settings_of

_PLAIN = CostSettings()
# No text is read: of what all views of the page have, the model and the accented head count.
DEFAULTS: dict[str, Value] = {
    **{name: INSIDE[name] for name in ("model", "head", "mode")},
    "tokens": _PLAIN.n_tokens,
    "batch": _PLAIN.batch,
    "precision": _PLAIN.precision,
    "sharing": _PLAIN.sharing,
}
_WIDTH, _HEIGHT = 680, 460
_PANEL, _ROW = 260, 190  # pixels of one way to share


def drawn(session: Session, state: State) -> Costs:
    """What attention takes of a state.

    Raises:
        ValueError: an unusable context length, batch, precision or sharing.
        ModelError: the model cannot be loaded.
    """
    settings = CostSettings(
        n_tokens=state["tokens"],  # type: ignore[arg-type]  # what is none is told as it is
        batch=state["batch"],  # type: ignore[arg-type]
        precision=str(state["precision"]),
        sharing=str(state["sharing"]),
    )
    return costs(session.model(str(state["model"])).shape(), settings)


def make(session: Session, state: State) -> Exhibit:
    """The costs as they are saved.

    Raises:
        ValueError: also a head the model does not have.
    """
    shown = drawn(session, state)
    stack, head = shown.shape.cached[0], int(state["head"])
    ways = sharings(stack, shown.settings.sharing)
    if not 0 <= head < stack.n_heads:
        raise ValueError(f"head {head} is out of range: heads are 0 to {stack.n_heads - 1}")
    caption = cost_caption(shown)

    def who_reads_what(look: FigureStyle) -> SizedFigure:
        figure = sharing_figure(stack, ways, head, look.theme)
        told = sharing_caption(shown.shape.model, stack, ways, head)
        return SizedFigure(figure, told, _PANEL * len(ways), _ROW, fixed=True)

    return KIND.exhibit(
        state,
        f"{model_stem(shown.shape.model)}-attention-costs",
        result=lambda: costs_json(shown, settings_of(session, state)),
        table=lambda: costs_table(shown),
        figures={
            "cache": lambda look: SizedFigure(cache_figure(shown, look.theme), caption, _WIDTH, _HEIGHT, AXIS),
            "operations": lambda look: SizedFigure(
                operations_figure(shown, look.theme), caption, _WIDTH + 120, _HEIGHT, AXIS
            ),
            "heads": who_reads_what,
        },
    )


KIND: Kind = Kind("cost", "sharing and cost", "/inside", "sharing", DEFAULTS, make, ("cache", "operations", "heads"))
