"""The plane of the Embeddings page: a word's static and contextual vectors, layer by layer.

embeddings-request, -plane-switches, theme, mode ─> embeddings-plot     all layers in one figure
embeddings-plot, embeddings-layer (in the browser) ─> the layer’s points, caption and facts
embeddings-request, -layer, -plane-switches (in the browser) ─> embeddings-embeddings-state    its state
embeddings-layer and all of the above ─> embeddings-scree, embeddings-distances

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, WordDistances
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.embeddings.embeddings import options_panel as embeddings_switches
from explorer.views.embeddings.embeddings import view as plane
from explorer.views.embeddings.embeddings.distances import word_distances
from explorer.views.embeddings.embeddings.figure import plane_figure
from explorer.views.embeddings.embeddings.scree_figure import scree_figure
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, ZOOMABLE
from explorer.views.state import study_request

MODE = "embeddings"


def layout() -> Any:
    """The plot, what its axes leave out, and its caption."""
    return html.Div(
        [
            embeddings_switches.layout(),
            html.Div(id="embeddings-plane-note", className="facts", role="status"),
            html.Div(id="embeddings-plane-message"),
            html.Div(
                [
                    dcc.Graph(
                        id="embeddings-plot",
                        config=ZOOMABLE,
                        responsive=True,
                        className="graph",
                        figure=blank_figure("the word’s vectors appear here"),
                    ),
                    _beside(),
                ],
                className="plane",
            ),
            html.P(id="embeddings-caption", className="caption"),
        ],
        id="embeddings-embeddings-part",
        className="part",
    )


def _beside() -> Any:
    return html.Aside(
        [
            html.B(
                "What the axes explain",
                title="Scree plot: the share of the fit’s variance that each component has; the "
                "picture’s axes in the accent colour",
            ),
            dcc.Graph(
                id="embeddings-scree", config=STILL, responsive=True, figure=blank_figure(""), className="scree"
            ),
            html.B(
                "Mean distances",
                id="embeddings-distances-of",
                title="Of the vectors as they are, all dimensions; “picture” is between the "
                "points as drawn, so that what it hides shows",
            ),
            html.Div(id="embeddings-distances"),
        ]
    )


def state_of(session: Session, request: Settings, switches: Settings, layer: int) -> Settings:
    """The state on the screen; of the last layer where the model has fewer.

    Raises:
        ValueError: an unusable sentence or word.
        ModelError: the model cannot be loaded.
    """
    last = len(study_of(session, study_request(request)).contextual) - 1
    return {**plane.DEFAULTS, **request, **switches, "layer": min(layer, last)}


def distances_table(distances: WordDistances) -> Any:
    """Mean distances, a row for each kind of pair."""
    told = zip(distances.pairs, distances.cosine, distances.euclidean, distances.drawn, strict=True)
    header = [
        html.Th(""),
        html.Th("cosine", title="1 − cosine of the angle, in the full space: 0…2"),
        html.Th("Euclidean", title="Euclidean distance in the full space"),
        html.Th("picture", title="Between the points as drawn"),
    ]
    rows = [
        html.Tr([html.Th(name, scope="row"), *(html.Td(_number(value)) for value in values)]) for name, *values in told
    ]
    return html.Table([html.Thead(html.Tr(header)), html.Tbody(rows)], className="numbers")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def register(app: Dash, session: Session) -> None:
    """Wire the plane to what was run."""
    embeddings_switches.register(app)
    _register_browser_side(app)

    @app.callback(
        Output("embeddings-plot", "figure"),
        Output("embeddings-plane-message", "children"),
        Input("embeddings-request", "data"),
        Input("embeddings-plane-switches", "data"),
        Input("embeddings-mode", "value"),
        Input("theme", "data"),
        State("embeddings-layer", "value"),
    )
    def show_plane(request: Settings | None, switches: Any, mode: str, theme: str, layer: int) -> Any:
        if request is None or switches is None or mode != MODE:
            return no_update, no_update
        try:
            state = state_of(session, request, switches, layer)
            study, shown = plane.drawn(session, state)
            planes = plane.planes_of(session, state)
            return plane_figure(study, planes, shown.layer, theme, plane.parts_of(state)), None
        except (ValueError, ModelError) as error:
            return no_update, running.error_line(str(error))

    @app.callback(
        Output("embeddings-scree", "figure"),
        Output("embeddings-distances", "children"),
        Output("embeddings-distances-of", "children"),
        Input("embeddings-request", "data"),
        Input("embeddings-layer", "value"),
        Input("embeddings-plane-switches", "data"),
        Input("embeddings-mode", "value"),
        Input("theme", "data"),
    )
    def show_beside(request: Settings | None, layer: int, switches: Any, mode: str, theme: str) -> Any:
        if request is None or switches is None or mode != MODE:
            return (no_update,) * 3
        try:
            state = state_of(session, request, switches, layer)
            study, shown = plane.drawn(session, state)
            table = distances_table(word_distances(study, shown))
        except (ValueError, ModelError):  # the plot tells
            return (no_update,) * 3
        explains = shown.switches.method == "pca"
        scree = scree_figure(shown, theme) if explains else blank_figure("t-SNE explains none")
        return scree, table, f"Mean distances, layer {shown.layer}"


def _register_browser_side(app: Dash) -> None:
    def browser(name: str, *wiring: Any) -> None:
        app.clientside_callback(ClientsideFunction("plane", name), *wiring)

    browser(
        "follow",
        Output("embeddings-caption", "children"),
        Output("embeddings-facts", "children"),
        Input("embeddings-plot", "figure"),
        Input("embeddings-layer", "value"),
    )
    browser(
        "view",
        Output("embeddings-embeddings-state", "data"),
        Input("embeddings-request", "data"),
        Input("embeddings-layer", "value"),
        Input("embeddings-plane-switches", "data"),
        Input("embeddings-mode", "value"),
    )
