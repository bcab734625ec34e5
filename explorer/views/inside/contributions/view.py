"""What all heads of a layer add to one token."""

from __future__ import annotations

from explorer.figures.caption import AXIS
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import model_stem
from explorer.records import HeadOutputs
from explorer.session.links import State, Value
from explorer.session.session import Session
from explorer.views.inside.contributions.compute import head_outputs, outputs_table
from explorer.views.inside.contributions.data import outputs_json
from explorer.views.inside.contributions.figure import outputs_caption, outputs_figure
from explorer.views.spec import Exhibit, Kind
from explorer.views.state import INSIDE, head_of, settings_of, text_request

DEFAULTS: dict[str, Value] = dict(INSIDE)
_WIDTH, _HEIGHT = 900, 460
_ROW = 15  # pixels of a head's vector


def drawn(session: Session, state: State) -> HeadOutputs:
    """The heads' outputs of a state.

    Raises:
        ValueError: an unusable text, or a token, layer, head or stack that is not there.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    stack, layer, head = head_of(state)
    cap = session.capture(text_request(state))
    cap.stack(stack).call(layer, head)
    return head_outputs(cap, layer, int(state["query"]), stack)


def make(session: Session, state: State) -> Exhibit:
    """The outputs as they are saved."""
    outputs, cap = drawn(session, state), session.capture(text_request(state))
    head = int(state["head"])
    settings = {"target": state["target"] or None, "accented_head": head, **settings_of(session, state)}
    height = max(_HEIGHT, 2 * _ROW * len(outputs.added) + 160)

    def picture(look: FigureStyle) -> SizedFigure:
        figure = outputs_figure(outputs, head, look.theme)
        return SizedFigure(figure, outputs_caption(outputs), _WIDTH, height, AXIS)

    return KIND.exhibit(
        state,
        f"{model_stem(outputs.model)}-layer{outputs.layer}-query{outputs.query}-heads",
        result=lambda: outputs_json(outputs, cap, settings),
        table=lambda: outputs_table(outputs),
        figures={"outputs": picture},
        truncation=outputs.truncation,
    )


KIND: Kind = Kind("head_outputs", "what all heads add", "/inside", "heads", DEFAULTS, make, ("outputs",))
