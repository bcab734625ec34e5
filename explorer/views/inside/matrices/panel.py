"""Matrices as moves, on the Inside page: a head's map as what it does to a plane and its grid.

inside-selection, inside-moves-map, inside-first, theme ─> inside-moves-graph, -facts, caption,
                                  message, inside-matrices-state (its state)
inside-moves-share, the figure (in the browser) ─> the right picture, inside-moves-told, and once
                                  the slider rests inside-moves-rests ─> inside-matrices-state

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, Moves
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.matrices import view as moves
from explorer.views.inside.matrices.compute import MAPS
from explorer.views.inside.matrices.figure import moves_caption, moves_facts, moves_figure
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE

MODE = "matrices"
ADDRESS = {"map": "inside-moves-map", "share": "inside-moves-share"}
_MESSAGE = "what the head’s map does appears here"


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="inside-matrices-state"),
            dcc.Store(id="inside-moves-rests"),
            _controls(),
            html.Div(id="inside-moves-message", role="status"),
            dcc.Graph(
                id="inside-moves-graph",
                config=ZOOMABLE,
                responsive=True,
                className="graph",
                figure=blank_figure(_MESSAGE),
            ),
            html.Dl(id="inside-moves-facts", className="moves-facts"),
            html.P(id="inside-moves-caption", className="caption"),
        ],
        id="inside-matrices-part",
        className="part hidden",
    )


def _controls() -> Any:
    return html.Div(
        [
            html.Label(
                [
                    "map",
                    dmc.SegmentedControl(
                        id="inside-moves-map",
                        value=MAPS[0],
                        size="xs",
                        data=[{"value": which, "label": which} for which in MAPS],
                    ),
                ],
                title="Which of the head’s three linear maps: W_Q, W_K or W_V",
                className="selector",
            ),
            html.Label(
                [
                    "right picture: before",
                    dmc.Slider(
                        id="inside-moves-share",
                        value=1,
                        min=0,
                        max=1,
                        step=0.01,
                        size="sm",
                        w=220,
                        updatemode="drag",
                        marks=[],
                        label=None,
                    ),
                    "after",
                ],
                title="Brings the right picture back to the left one and on again, along straight "
                "lines. The model takes no such way: it makes the move at once",
                className="selector",
            ),
            html.Span(id="inside-moves-told", className="muted"),
        ],
        className="controls",
    )


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("moves", "follow"),
        Output("inside-moves-told", "children"),
        Input("inside-moves-graph", "figure"),
        Input("inside-moves-share", "value"),
    )
    app.clientside_callback(
        ClientsideFunction("moves", "rest"),
        Output("inside-matrices-state", "data", allow_duplicate=True),
        Input("inside-moves-rests", "data"),
        State("inside-matrices-state", "data"),
    )

    @app.callback(
        Output("inside-moves-graph", "figure"),
        Output("inside-moves-facts", "children"),
        Output("inside-moves-caption", "children"),
        Output("inside-moves-message", "children"),
        Output("inside-matrices-state", "data"),
        Input("inside-selection", "data"),
        Input("inside-moves-map", "value"),
        Input("inside-first", "checked"),
        Input("theme", "data"),
        State("inside-moves-share", "value"),
    )
    def show_moves(view: dict[str, Any] | None, which: str, first: bool, theme: str, share: float) -> Any:
        if view is None or view["mode"] != MODE:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "inside-selection"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 4
        state = moves.DEFAULTS | view | {"map": which, "first": first, "share": share}
        try:
            shown = moves.drawn(session, state)
        except (ValueError, ModelError) as error:
            return blank_figure(_MESSAGE), [], "", running.error_line(str(error)), None
        token = moves.token_of(shown, view["query"])
        return (moves_figure(shown, token, theme), facts_list(shown), moves_caption(shown), None, state)


def facts_list(shown: Moves) -> list[Any]:
    """What the map does, a line each."""
    return [html.Div([html.Dt(name), html.Dd(said)]) for name, said in moves_facts(shown)]
