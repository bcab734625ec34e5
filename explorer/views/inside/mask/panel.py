"""The mask on and off, and what comes too late for a causal model.

inside-selection, theme ─> both maps, their caption
inside-selection, inside-mask-beside, theme ─> the token with and without what comes after it
both of them ─> inside-mask-state (its state)
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.models import bundled
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.heatmap.figure import heatmap_figure
from explorer.views.inside.mask import view as mask
from explorer.views.inside.mask.figure import late_caption, late_figure, mask_caption, other_figure
from explorer.views.panel import running
from explorer.views.panel.fields import STILL

MODE = "mask"
ADDRESS = {"beside": "inside-mask-beside"}
_MESSAGE = "both maps appear here"
_GRAPHS = ("own", "other", "late")


def layout() -> Any:
    """The view's components."""
    own, other, late = (
        dcc.Graph(
            id=f"inside-mask-{name}", responsive=True, className="graph", config=STILL, figure=blank_figure(_MESSAGE)
        )
        for name in _GRAPHS
    )
    beside = dmc.Autocomplete(
        id="inside-mask-beside",
        value="",
        size="xs",
        w=220,
        debounce=True,
        placeholder="another model",
        data=[m for m in bundled.BUNDLED if bundled.is_installed(m)],
    )
    return html.Div(
        [
            dcc.Store(id="inside-mask-state"),
            html.Div(id="inside-mask-message"),
            html.Div([own, other], className="both-masks"),
            html.P(id="inside-mask-caption", className="caption"),
            html.Div(
                html.Label(
                    ["Beside", beside],
                    className="selector",
                    title="A second model that reads the same text; empty: the bundled one of the "
                    "other kind, causal or not",
                ),
                className="controls",
            ),
            html.Div(id="inside-mask-late-message"),
            late,
            html.P(id="inside-mask-late-caption", className="caption"),
        ],
        id="inside-mask-part",
        className="part hidden",
    )


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    @app.callback(
        Output("inside-mask-own", "figure"),
        Output("inside-mask-other", "figure"),
        Output("inside-mask-caption", "children"),
        Output("inside-mask-message", "children"),
        Input("inside-selection", "data"),
        Input("theme", "data"),
    )
    def show_masks(view: dict[str, Any] | None, theme: str) -> Any:
        if view is None or view["mode"] != MODE:
            return *_left(2), *(no_update,) * 2
        try:
            own, other = mask.drawn(session, view)
        except (ValueError, ModelError) as error:
            blank = blank_figure(_MESSAGE)
            return blank, blank, "", running.error_line(str(error))
        caption = mask_caption(own, other, view["query"])
        return heatmap_figure(own, theme, stepped=False), other_figure(other, theme), caption, None

    @app.callback(
        Output("inside-mask-state", "data"), Input("inside-selection", "data"), Input("inside-mask-beside", "value")
    )
    def tell(view: dict[str, Any] | None, beside: str | None) -> Any:
        if view is None or view["mode"] != MODE:
            return no_update
        try:
            mask.drawn(session, view)
        except (ValueError, ModelError):  # show_masks says what is wrong
            return None
        return mask.DEFAULTS | view | {"other_model": beside or ""}

    @app.callback(
        Output("inside-mask-late", "figure"),
        Output("inside-mask-late-caption", "children"),
        Output("inside-mask-late-message", "children"),
        Input("inside-selection", "data"),
        Input("inside-mask-beside", "value"),
        Input("theme", "data"),
    )
    def show_late(view: dict[str, Any] | None, beside: str | None, theme: str) -> Any:
        if view is None or view["mode"] != MODE:
            return *_left(1), no_update, no_update
        try:
            curves = mask.late_curves(session, view | {"other_model": beside or ""})
        except (ValueError, ModelError) as error:
            return blank_figure(""), "", running.error_line(str(error))
        return late_figure(curves, theme), late_caption(curves), None


def _left(count: int) -> tuple[Any, ...]:
    """Pictures that are left take their nodes out of the page."""
    left = ctx.triggered_id == "inside-selection"
    return (blank_figure(_MESSAGE) if left else no_update,) * count
