"""The mask on and off, and what comes too late for a causal model.

inside-view, theme ─> both maps, their caption, inside-mask-view (what is saved)
inside-view, inside-mask-beside, theme ─> the token with and without what comes after it
"""

from __future__ import annotations

import csv as csv_writer
import io
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, ctx, dcc, html, no_update

from explorer import bundled
from explorer.figures.heatmap import heatmap_figure
from explorer.figures.inside_mask import late_caption, late_figure, mask_caption, other_figure
from explorer.figures.style import blank_figure, model_stem
from explorer.pages import running
from explorer.pages.fields import STILL
from explorer.records import HeadMap, LateContext, ModelError
from explorer.session import Session, TextRequest
from explorer.views.inside_mask import cut_after, late_context, other_mask, token_at

MODE, LABEL = "mask", "mask on and off"
_MESSAGE = "both maps appear here"
_GRAPHS = ("own", "other", "late")


def layout() -> Any:
    """The view's components."""
    own, other, late = (
        dcc.Graph(
            id=f"inside-mask-{name}", responsive=True, className="graph",
            config=STILL, figure=blank_figure(_MESSAGE),
        )
        for name in _GRAPHS
    )  # fmt: skip
    beside = dmc.Autocomplete(
        id="inside-mask-beside", value="", size="xs", w=220, debounce=True,
        placeholder="another model", data=[m for m in bundled.BUNDLED if bundled.is_installed(m)],
    )  # fmt: skip
    return html.Div(
        [
            dcc.Store(id="inside-mask-view"),
            html.Div(id="inside-mask-message"),
            html.Div([own, other], className="both-masks"),
            html.P(id="inside-mask-caption", className="caption"),
            html.Div(
                html.Label(
                    ["Beside", beside], className="selector",
                    title="A second model that reads the same text; empty: the bundled one of the "
                    "other kind, causal or not",
                ),
                className="controls",
            ),
            html.Div(id="inside-mask-late-message"),
            late,
            html.P(id="inside-mask-late-caption", className="caption"),
        ],
        id="inside-mask",
        className="part hidden",
    )  # fmt: skip


def maps_of(session: Session, view: dict[str, Any]) -> tuple[HeadMap, HeadMap]:
    """Both maps on the screen, out of what the browser keeps.

    Raises:
        ValueError: an unusable text, or a stack that has no such mask.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    cap = session.capture(TextRequest(**view["request"]))
    return other_mask(cap, view["layer"], view["head"], view["stack"] or None)


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of both maps: a row a query and key, with both weights."""
    own, other = maps_of(session, view)
    file = io.StringIO()
    writer = csv_writer.writer(file)
    writer.writerow(["query", "key", "own mask", "other mask (thought experiment)"])
    for row, query in enumerate(own.queries):
        pairs = zip(own.keys, own.weights[row].tolist(), other.weights[row].tolist(), strict=True)
        writer.writerows([query, *pair] for pair in pairs)
    model = model_stem(own.model)
    return f"{model}-layer{own.layer}-head{own.head}-masks.csv", file.getvalue()


def late_curves(session: Session, view: dict[str, Any], beside: str) -> list[LateContext]:
    """The chosen token with and without what follows, in this model and in another.

    Raises:
        ValueError: a token nothing follows, or that is read otherwise without it.
        ModelError: a model cannot be loaded.
    """
    request = TextRequest(**view["request"])
    whole = session.capture(request)
    if len(whole.stacks) > 1:
        raise ValueError("what comes too late is shown of models with one stack")
    end = len(cut_after(whole, view["query"]))
    curves = []
    for name in (request.model, beside):
        one = replace(request, model=name, pair=None)
        long = session.capture(one)
        short = session.capture(replace(one, text=request.text[:end]))
        curves.append(late_context(long, short, token_at(long, end)))
    return curves


def other_kind(causal: bool) -> str:
    """The bundled model that masks where this one does not."""
    return "minilm" if causal else "smollm2"


def register(app: Dash, session: Session) -> None:
    """Wire the view's callbacks to ``app``."""

    @app.callback(
        Output("inside-mask-own", "figure"),
        Output("inside-mask-other", "figure"),
        Output("inside-mask-caption", "children"),
        Output("inside-mask-message", "children"),
        Output("inside-mask-view", "data"),
        Input("inside-view", "data"),
        Input("theme", "data"),
    )
    def show_masks(view: dict[str, Any] | None, theme: str) -> Any:
        if view is None or view["mode"] != MODE:
            return *_left(2), *(no_update,) * 3
        try:
            own, other = maps_of(session, view)
        except (ValueError, ModelError) as error:
            blank = blank_figure(_MESSAGE)
            return blank, blank, "", running.error_line(str(error)), None
        caption = mask_caption(own, other, view["query"])
        return heatmap_figure(own, theme), other_figure(other, theme), caption, None, view

    @app.callback(
        Output("inside-mask-late", "figure"),
        Output("inside-mask-late-caption", "children"),
        Output("inside-mask-late-message", "children"),
        Input("inside-view", "data"),
        Input("inside-mask-beside", "value"),
        Input("theme", "data"),
    )
    def show_late(view: dict[str, Any] | None, beside: str, theme: str) -> Any:
        if view is None or view["mode"] != MODE:
            return *_left(1), no_update, no_update
        try:
            cap = session.capture(TextRequest(**view["request"]))
            curves = late_curves(
                session, view, beside.strip() or other_kind(cap.stack(cap.stacks[-1]).causal)
            )
        except (ValueError, ModelError) as error:
            return blank_figure(""), "", running.error_line(str(error))
        return late_figure(curves, theme), late_caption(curves), None


def _left(count: int) -> tuple[Any, ...]:
    """Pictures that are left take their nodes out of the page."""
    left = ctx.triggered_id == "inside-view"
    return (blank_figure(_MESSAGE) if left else no_update,) * count
