"""The plane of the Embeddings page: a word's static and contextual vectors, layer by layer.

embeddings-request, -plane-switches, theme, mode ─> embeddings-plot     all layers in one figure
embeddings-plot, embeddings-layer (in the browser) ─> the layer’s points, caption and facts
embeddings-request, -layer, -plane-switches (in the browser) ─> embeddings-embeddings-state    its state
embeddings-layer and all of the above ─> embeddings-scree, embeddings-distances

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, WordDistances
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.embeddings import VIEW, options_panel
from explorer.views.embeddings.embeddings.compute import compute
from explorer.views.embeddings.embeddings.distances import word_distances
from explorer.views.embeddings.embeddings.figure import plane_figure
from explorer.views.embeddings.embeddings.scree_figure import scree_figure
from explorer.views.embeddings.page import PlaneSettings
from explorer.views.embeddings.study import study_of
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE, graph
from explorer.views.panel.view_panel import part


def layout() -> Any:
    """The plot, what its axes leave out, and its caption."""
    scree_help = (
        "Scree plot: the share of the fit’s variance that each component has; the picture’s axes in the accent colour"
    )
    distances_help = (
        "Of the vectors as they are, all dimensions; “picture” is between the points as drawn, so that what it "
        "hides shows"
    )
    beside = [
        html.B("What the axes explain", title=scree_help),
        graph("embeddings-scree", "", style="scree"),
        html.B("Mean distances", id="embeddings-distances-of", title=distances_help),
        html.Div(id="embeddings-distances"),
    ]
    plot = graph("embeddings-plot", "the word’s vectors appear here", ZOOMABLE)
    return part(
        VIEW,
        options_panel.layout(),
        html.Div(id="embeddings-plane-note", className="facts", role="status"),
        html.Div(id="embeddings-plane-message"),
        html.Div([plot, html.Aside(beside)], className="embeddings-beside"),
        html.P(id="embeddings-caption", className="caption"),
    )


def settings_of(session: Session, request: dict[str, Any], options: dict[str, Any], layer: int) -> PlaneSettings:
    """The settings on the screen; of the last layer where the model has fewer.

    Raises:
        ValueError: an unusable sentence or word, or an unknown option.
        ModelError: the model cannot be loaded.
    """
    settings = PlaneSettings.of({**request, **options})
    last = len(study_of(session, settings.study).contextual) - 1
    return replace(settings, layer=min(layer, last)).check()


def distances_table(distances: WordDistances) -> Any:
    """Mean distances, a row for each kind of pair."""
    values_by_pair = zip(distances.pairs, distances.cosine, distances.euclidean, distances.drawn, strict=True)
    header = [
        html.Th(""),
        html.Th("cosine", title="1 − cosine of the angle, in the full space: 0…2"),
        html.Th("Euclidean", title="Euclidean distance in the full space"),
        html.Th("picture", title="Between the points as drawn"),
    ]
    rows = [
        html.Tr([html.Th(pair, scope="row"), *(html.Td(_number(value)) for value in values)])
        for pair, *values in values_by_pair
    ]
    return html.Table([html.Thead(html.Tr(header)), html.Tbody(rows)], className="numbers")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the plane to what was run."""
    options_panel.register(app)
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
    def show_plane(request: dict[str, Any] | None, switches: Any, mode: str, theme: str, layer: int) -> Any:
        if request is None or switches is None or mode != VIEW.name:
            return no_update, no_update
        try:
            record = compute(session, settings_of(session, request, switches, layer))
            return plane_figure(record.study, record.projections, record.shown.layer, theme, record.parts), None
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
    def show_beside(request: dict[str, Any] | None, layer: int, switches: Any, mode: str, theme: str) -> Any:
        if request is None or switches is None or mode != VIEW.name:
            return (no_update,) * 3
        try:
            record = compute(session, settings_of(session, request, switches, layer))
            shown, table = record.shown, distances_table(word_distances(record.study, record.shown))
        except (ValueError, ModelError):  # the plot reports it
            return (no_update,) * 3
        explains = shown.switches.method == "pca"
        scree = scree_figure(shown, theme) if explains else blank_figure("t-SNE explains none")
        return scree, table, f"Mean distances, layer {shown.layer}"


def _register_browser_side(app: Dash) -> None:
    def browser(name: str, *wiring: Any) -> None:
        app.clientside_callback(ClientsideFunction("embeddings_embeddings", name), *wiring)

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
