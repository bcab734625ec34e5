"""All heads of a layer for one token: what each adds, how alike they are, and their sum.

inside-view, theme ─> inside-heads-graph, its caption, inside-heads-view (its state)
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.contributions import view as head_outputs
from explorer.views.inside.contributions.figure import outputs_caption, outputs_figure
from explorer.views.panel import running
from explorer.views.panel.fields import STILL

MODE, LABEL, KIND = "heads", "all heads", head_outputs.KIND.name
ADDRESS: dict[str, str] = {}
_MESSAGE = "what the heads add appears here"


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="inside-heads-view"),
            html.Div(id="inside-heads-message"),
            dcc.Graph(
                id="inside-heads-graph",
                responsive=True,
                className="graph",
                config=STILL,
                figure=blank_figure(_MESSAGE),
            ),
            html.P(id="inside-heads-caption", className="caption"),
        ],
        id="inside-heads",
        className="part hidden",
    )


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callback to ``app``."""

    @app.callback(
        Output("inside-heads-graph", "figure"),
        Output("inside-heads-caption", "children"),
        Output("inside-heads-message", "children"),
        Output("inside-heads-view", "data"),
        Input("inside-view", "data"),
        Input("theme", "data"),
    )
    def show_heads(view: dict[str, Any] | None, theme: str) -> Any:
        if view is None or view["mode"] != MODE:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "inside-view"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 3
        try:
            outputs = head_outputs.drawn(session, view)
        except (ValueError, ModelError) as error:
            return blank_figure(_MESSAGE), "", running.error_line(str(error)), None
        figure = outputs_figure(outputs, view["head"], theme)
        return figure, outputs_caption(outputs), None, view
