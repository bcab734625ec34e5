"""A head's mask on and off, and what comes too late for a causal model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from explorer.figures.caption import AXIS
from explorer.figures.figure_style import Draw, FigureStyle, SizedFigure
from explorer.figures.style import SEQUENTIAL, model_stem
from explorer.records import CapturedText, HeadMap, ModelError, RightContext
from explorer.session.session import Session
from explorer.session.settings import State, Value
from explorer.views.heads.heatmap.figure import sized_heatmap
from explorer.views.inside.mask.compute import cut_after, other_mask, right_context, token_at
from explorer.views.inside.mask.data import mask_json, mask_table
from explorer.views.inside.mask.figure import late_caption, late_figure, mask_caption, other_figure
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import INSIDE, head_of, settings_of, text_request

# ``beside``: a second model that reads the same text; empty: the bundled one of the other kind.
DEFAULTS: dict[str, Value] = {**INSIDE, "other_model": ""}
_LATE = 760, 420


def drawn(session: Session, state: State) -> tuple[HeadMap, HeadMap]:
    """Both maps of a state: under the model's own mask, and under the other.

    Raises:
        ValueError: an unusable text, a stack that has no such mask, or a query that is not there.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    stack, layer, head = head_of(state)
    own, other = other_mask(session.capture(text_request(state)), layer, head, stack)
    if not 0 <= int(state["query"]) < len(own.queries):
        raise ValueError(f"query {state['query']} is out of range: queries are 0 to {len(own.queries) - 1}")
    return own, other


def late_curves(session: Session, state: State) -> list[RightContext]:
    """The chosen token with and without what follows, in this model and in another.

    Raises:
        ValueError: a token nothing follows, or that is read otherwise without it.
        ModelError: a model cannot be loaded.
    """
    request, query = text_request(state), int(state["query"])
    whole = session.capture(request)
    if len(whole.stacks) > 1:
        raise ValueError("what comes too late is shown of models with one stack")
    beside = _beside(whole, state)
    end = len(cut_after(whole, query))
    curves = []
    for name in (request.model, beside):
        one = replace(request, model=name, pair=None, target=None)
        long = session.capture(one)
        short = session.capture(replace(one, text=request.text[:end]))
        curves.append(right_context(long, short, token_at(long, end)))
    return curves


def _beside(whole: CapturedText, state: State) -> str:
    """The second model; if none is named, the bundled one that masks where this one does not."""
    return str(state["other_model"]).strip() or ("minilm" if whole.stack().causal else "smollm2")


def make(session: Session, state: State) -> Exhibit:
    """Both maps, and the token's curves, as they are saved."""
    own, other = drawn(session, state)
    query = int(state["query"])
    settings = {
        "target": state["target"] or None,
        "other_model": state["other_model"] or None,
        **settings_of(session, state),
    }

    @cache
    def curves() -> list[RightContext]:
        return late_curves(session, state)

    def curves_or_why() -> tuple[list[RightContext], str]:
        try:
            return curves(), ""
        except (ValueError, ModelError) as error:
            return [], str(error)

    def other_model() -> str:
        found, _ = curves_or_why()
        return _beside(session.capture(text_request(state)), state) if found else ""

    model = model_stem(own.source.model)
    return KIND.exhibit(
        state,
        f"{model}-layer{own.layer}-head{own.head}-masks",
        result=lambda: mask_json(own, other, query, *curves_or_why(), settings=settings),
        table=lambda: mask_table(own, other),
        figures={
            "own": lambda look: sized_heatmap(own, False, look.palette or SEQUENTIAL, look.theme),
            "other": _other(own, other, query),
            "late": lambda look: SizedFigure(late_figure(curves(), look.theme), late_caption(curves()), *_LATE, AXIS),
        },
        truncation=own.source.truncation,
        other=other_model,
    )


def _other(own: HeadMap, other: HeadMap, query: int) -> Draw:
    """The thought experiment, as large as the map that is none."""

    def draw(look: FigureStyle) -> SizedFigure:
        palette = look.palette or SEQUENTIAL
        sized = sized_heatmap(other, False, palette, look.theme)
        figure = other_figure(other, look.theme, palette)
        return replace(sized, figure=figure, caption=mask_caption(own, other, query, alone=True))

    return draw


KIND: Kind = Kind(
    "mask", "the mask on and off", "/inside", "mask", DEFAULTS, make, ("own", "other", "late"), "other_model"
)
