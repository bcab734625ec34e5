"""Weight matrices as linear maps, on the Inside page: what a matrix does to a plane and its grid.

inside-selection, inside-matrices-map, inside-first, theme ─> inside-matrices-graph, -facts, caption,
                                  message, inside-matrices-state (its state)
inside-matrices-share, the figure (in the browser) ─> the right picture, inside-matrices-told, and once
                                  the slider stops inside-matrices-rests ─> inside-matrices-state
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.matrices import MAPS, VIEW, MatricesSettings
from explorer.views.inside.matrices.compute import compute, token_of
from explorer.views.inside.matrices.figure import map_facts, planes_caption, planes_figure
from explorer.views.panel.fields import ZOOMABLE, graph, labelled, segments, slider
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "what the head’s map does appears here"


def layout() -> Any:
    """The view's components."""
    why, names = MatricesSettings.help_of, {which: which for which in MAPS}
    share = slider("inside-matrices-share", 1, 1, 0.01, w=220)
    controls = [
        labelled("map", why("map"), segments("inside-matrices-map", MAPS[0], names)),
        html.Label(["right picture: before", share, "after"], title=why("share"), className="selector"),
        html.Span(id="inside-matrices-told", className="muted"),
    ]
    return part(
        VIEW,
        dcc.Store(id="inside-matrices-rests"),
        html.Div(controls, className="controls"),
        graph("inside-matrices-graph", _MESSAGE, ZOOMABLE),
        html.Dl(id="inside-matrices-facts", className="matrices-facts"),
        html.P(id="inside-matrices-caption", className="caption"),
    )


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("inside_matrices", "follow"),
        Output("inside-matrices-told", "children"),
        Input("inside-matrices-graph", "figure"),
        Input("inside-matrices-share", "value"),
    )
    app.clientside_callback(
        ClientsideFunction("inside_matrices", "rest"),
        Output("inside-matrices-state", "data", allow_duplicate=True),
        Input("inside-matrices-rests", "data"),
        State("inside-matrices-state", "data"),
    )

    @draws(
        app,
        VIEW,
        ["inside-matrices-graph"],
        [
            Input("inside-selection", "data"),
            Input("inside-matrices-map", "value"),
            Input("inside-first", "checked"),
            Input("theme", "data"),
            State("inside-matrices-share", "value"),
        ],
        [Output("inside-matrices-facts", "children"), Output("inside-matrices-caption", "children")],
        _MESSAGE,
    )
    def draw_planes(
        selection: dict[str, Any] | None, which: str, first: bool, theme: str, share: float
    ) -> Drawing | None:
        if selection is None:
            return None
        settings = MatricesSettings.of({**selection, "map": which, "first": first, "share": float(share)}).check()
        record = compute(session, settings)
        facts = [html.Div([html.Dt(name), html.Dd(text)]) for name, text in map_facts(record)]
        figure = planes_figure(record, token_of(record, settings.query), theme)
        return Drawing([figure], settings, [facts, planes_caption(record)])
