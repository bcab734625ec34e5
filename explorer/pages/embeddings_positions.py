"""Where position enters, on the Embeddings page: the model's positions, and a token's sum.

embeddings-mode ─> embeddings-positions                      shown or not
embeddings-request ─> embeddings-positions-place             what can be chosen
embeddings-mode, embeddings-request ─> embeddings-positions-job
    ─> embeddings-positions-request, embeddings-positions-place, theme ─>
           embeddings-positions-graph, caption, embeddings-positions-view (what is saved)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.export.positions import positions_table
from explorer.figures.positions import positions_caption, positions_figure
from explorer.figures.style import blank_figure, model_stem
from explorer.jobs import Jobs
from explorer.pages import running
from explorer.pages.embeddings_request import study
from explorer.pages.fields import STILL
from explorer.pages.running import Run
from explorer.records import Entrance, ModelError, Positions
from explorer.session import Session
from explorer.views.meaning import SENSE, places

MODE = "positions"


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("embeddings-positions"),
            dcc.Store(id="embeddings-positions-view"),
            html.Div(
                html.Label(
                    [
                        "the word in",
                        dmc.Select(
                            id="embeddings-positions-place", value="0", data=[], size="xs", w=360,
                            searchable=True, allowDeselect=False, limit=100,
                        ),
                    ],
                    title="Whose sum is shown below: the word in this sentence",
                    className="selector",
                ),
                className="controls",
            ),
            html.Div(id="embeddings-positions-message"),
            html.Div(
                dcc.Graph(
                    id="embeddings-positions-graph", responsive=True, className="graph",
                    config=STILL, style={"minHeight": "480px"},
                    figure=blank_figure("how the model tells positions apart appears here"),
                ),
                className="scrolling",
            ),
            html.P(id="embeddings-positions-caption", className="caption"),
        ],
        id="embeddings-positions",
        className="part hidden",
    )  # fmt: skip


def shown_positions(session: Session, view: dict[str, Any]) -> tuple[Positions, Entrance, int]:
    """The model's positions, a sentence's entrance, and the word's token in it.

    Raises:
        ValueError: an unusable sentence or word.
        ModelError: the model is gone, or failed.
    """
    found = study(session, view["request"])
    place = int(view["place"]) if view["place"] in places(found) else 0
    occurrence = found.occurrences[place]
    model = view["request"]["model"]
    return session.positions(model), session.entrance(model, occurrence.text), occurrence.position


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of what is on the screen, from ``embeddings-positions-view``."""
    shown, given, _ = shown_positions(session, view)
    model = model_stem(shown.model)
    return f"{model}-positions.csv", positions_table(shown, given).csv()


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("positions", "show"),
        Output("embeddings-positions", "className"),
        Input("embeddings-mode", "value"),
    )

    @app.callback(
        Output("embeddings-positions-place", "data"),
        Output("embeddings-positions-place", "value"),
        Input("embeddings-request", "data"),
        State("embeddings-positions-place", "value"),
    )
    def offer_places(request: dict[str, Any] | None, chosen: str) -> Any:
        if request is None:
            return no_update, no_update
        named = places(study(session, request))
        data = [
            {"value": value, "label": label}
            for value, label in named.items()
            if not value.startswith(SENSE)
        ]
        return data, chosen if chosen in named else "0"

    def look(mode: str, request: dict[str, Any] | None) -> Run | None:
        if mode != MODE or request is None:
            return None
        model = request["model"]
        return Run({"request": request}, lambda tell: session.positions(model, tell))

    asked = [Input("embeddings-mode", "value"), Input("embeddings-request", "data")]
    running.follow(app, jobs, "embeddings-positions", asked, [], look)

    @app.callback(
        Output("embeddings-positions-graph", "figure"),
        Output("embeddings-positions-caption", "children"),
        Output("embeddings-positions-view", "data"),
        Input("embeddings-positions-request", "data"),
        Input("embeddings-positions-place", "value"),
        Input("theme", "data"),
        Input("embeddings-mode", "value"),
    )
    def show_positions(asked: dict[str, Any] | None, place: str, theme: str, mode: str) -> Any:
        if asked is None or mode != MODE:
            return (no_update,) * 3
        view = asked | {"place": place}
        try:
            shown = shown_positions(session, view)
        except (ValueError, ModelError) as error:
            return no_update, running.error_line(str(error)), no_update
        return positions_figure(*shown, theme), positions_caption(*shown), view
