"""Where position enters, on the Embeddings page: the model's positions, and a token's sum.

embeddings-request ─> embeddings-positions-place             what can be chosen
embeddings-mode, embeddings-request ─> embeddings-positions-job
    ─> embeddings-positions-request, embeddings-positions-place, theme ─>
           embeddings-positions-graph, caption
these and embeddings-layer (in the browser) ─> embeddings-positions-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.embeddings.meaning.compute import SENSE, places
from explorer.views.embeddings.positions import view as positions
from explorer.views.embeddings.positions.compute import positions_of
from explorer.views.embeddings.positions.figure import positions_caption, positions_figure
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, labelled
from explorer.views.panel.running import Run
from explorer.views.state import study_request

MODE = "positions"
ADDRESS = {"positions_of": "embeddings-positions-place"}


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("embeddings-positions"),
            dcc.Store(id="embeddings-positions-state"),
            html.Div(
                labelled(
                    "the word in",
                    "Whose sum is shown below: the word in this sentence",
                    dmc.Select(
                        id="embeddings-positions-place",
                        value="0",
                        data=[],
                        size="xs",
                        w=360,
                        searchable=True,
                        allowDeselect=False,
                        limit=100,
                    ),
                ),
                className="controls",
            ),
            html.Div(id="embeddings-positions-message"),
            html.Div(
                dcc.Graph(
                    id="embeddings-positions-graph",
                    responsive=True,
                    className="graph",
                    config=STILL,
                    style={"minHeight": "480px"},
                    figure=blank_figure("how the model tells positions apart appears here"),
                ),
                className="scrolling",
            ),
            html.P(id="embeddings-positions-caption", className="caption"),
        ],
        id="embeddings-positions-part",
        className="part hidden",
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("positions", "view"),
        Output("embeddings-positions-state", "data"),
        Input("embeddings-positions-request", "data"),
        Input("embeddings-layer", "value"),
        Input("embeddings-positions-place", "value"),
    )

    @app.callback(
        Output("embeddings-positions-place", "data"),
        Output("embeddings-positions-place", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-positions-place", "value"),
    )
    def offer_places(request: Settings | None, chosen: str) -> Any:
        if request is None:
            return no_update, no_update
        named = places(study_of(session, study_request(request)))
        data = [{"value": value, "label": label} for value, label in named.items() if not value.startswith(SENSE)]
        return data, chosen if chosen in named else "0"

    def look(mode: str, request: Settings | None) -> Run | None:
        if mode != MODE or request is None:
            return None
        model = str(request["model"])
        return Run({**request, "mode": MODE}, lambda tell: positions_of(session, model, tell))

    asked = [Input("embeddings-mode", "value"), Input("embeddings-request", "data")]
    running.follow(app, jobs, "embeddings-positions", asked, [], look)

    @app.callback(
        Output("embeddings-positions-graph", "figure"),
        Output("embeddings-positions-caption", "children"),
        Input("embeddings-positions-request", "data"),
        Input("embeddings-positions-place", "value"),
        Input("theme", "data"),
        Input("embeddings-mode", "value"),
    )
    def show_positions(asked: Settings | None, place: str, theme: str, mode: str) -> Any:
        if asked is None or mode != MODE:
            return no_update, no_update
        try:
            shown = positions.drawn(session, {**asked, "positions_of": place})
        except (ValueError, ModelError) as error:
            return no_update, running.error_line(str(error))
        return positions_figure(*shown, theme), positions_caption(*shown)
