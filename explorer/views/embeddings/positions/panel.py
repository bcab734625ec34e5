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

from dash import Dash, Input, Output, State, html, no_update

from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.meaning.compute import SENSE, places
from explorer.views.embeddings.positions import VIEW, PositionsSettings
from explorer.views.embeddings.positions.compute import compute
from explorer.views.embeddings.positions.figure import positions_caption, positions_figure
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import graph, labelled, options_of, select
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "how the model tells positions apart appears here"


def layout() -> Any:
    """The view's components."""
    place = select("embeddings-positions-place", "0", 360, searchable=True, limit=100)
    figure = graph("embeddings-positions-graph", _MESSAGE)
    figure.style = {"minHeight": "480px"}
    return part(
        VIEW,
        *running.stores("embeddings-positions"),
        html.Div(
            labelled("the word in", "The sum below is of the word in this sentence", place), className="controls"
        ),
        html.Div(id="embeddings-positions-message"),
        html.Div(figure, className="scrolling"),
        html.P(id="embeddings-positions-caption", className="caption"),
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    @app.callback(
        Output("embeddings-positions-place", "data"),
        Output("embeddings-positions-place", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-positions-place", "value"),
    )
    def offer_places(request: dict[str, Any] | None, chosen: str) -> Any:
        if request is None:
            return no_update, no_update
        named = places(study_of(session, PositionsSettings.of(request).study))
        named = {value: label for value, label in named.items() if not value.startswith(SENSE)}
        return options_of(named), chosen if chosen in named else "0"

    def read(mode: str, request: dict[str, Any] | None, place: str) -> Run | None:
        if mode != VIEW.name or request is None:
            return None
        request = {**request, "positions_of": int(place)}
        settings = PositionsSettings.of(request)
        return Run(request, lambda progress: compute(session, settings, progress))

    inputs = [
        Input("embeddings-mode", "value"),
        Input("embeddings-request", "data"),
        Input("embeddings-positions-place", "value"),
    ]
    running.follow(app, jobs, "embeddings-positions", inputs, [], read)

    @draws(
        app,
        VIEW,
        ["embeddings-positions-graph"],
        [Input("embeddings-positions-request", "data"), Input("theme", "data"), Input("embeddings-layer", "value")],
        [Output("embeddings-positions-caption", "children")],
        _MESSAGE,
    )
    def draw_positions(request: dict[str, Any] | None, theme: str, layer: int) -> Drawing | None:
        if request is None:
            return None
        settings = PositionsSettings.of({**request, "layer": layer})
        record = compute(session, settings)
        of = record.positions, record.embedding_sum, record.token
        return Drawing([positions_figure(*of, theme)], settings, [positions_caption(*of)])
