"""The Embeddings page's measures by layer: where the senses separate, and what chance gives.

embeddings-mode, embeddings-request ─> embeddings-layers-job    (the senses are permuted)
    ─> embeddings-layers-request, theme ─> embeddings-layers-graph, verdict, caption
a click on a layer (in the browser) ─> embeddings-layer
embeddings-layer (in the browser) ─> the line at the layer, embeddings-layers-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update

from explorer.analysis.measures.by_layer import ANCHOR_MEASURE, CONTEXT_MEASURES, ContextMeasure
from explorer.figures.style import blank_figure
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.embeddings.layers import VIEW
from explorer.views.embeddings.layers.compute import word_layers_of
from explorer.views.embeddings.layers.figure import layers_caption, layers_figure, layers_height, layers_verdict
from explorer.views.embeddings.page import WordSettings
from explorer.views.heads.heads.help_panel import section
from explorer.views.panel import running
from explorer.views.panel.fields import graph
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import part

_MESSAGE = "the measures by layer appear here"


def layout() -> Any:
    """The view's components."""
    button = html.Button(
        "What am I seeing?",
        id="embeddings-layers-open",
        className="save",
        title="Each measure: how to read it, its formula, source and null",
    )
    help_sections = [_explained(measure) for measure in (*CONTEXT_MEASURES.values(), ANCHOR_MEASURE)]
    return part(
        VIEW,
        *running.stores("embeddings-layers"),
        html.Div([html.P(id="embeddings-layers-verdict", className="verdict grows"), button], className="controls"),
        html.Div(id="embeddings-layers-message"),
        html.Div(
            [
                graph("embeddings-layers-graph", _MESSAGE, style=""),
                html.P(id="embeddings-layers-caption", className="caption"),
            ],
            className="scrolling",
        ),
        dmc.Modal(help_sections, id="embeddings-layers-help", title="What the measures mean", size="lg"),
    )


def _explained(measure: ContextMeasure) -> Any:
    low, high = measure.range
    return section(
        measure.title,
        measure.reading,
        {
            "formula": measure.formula,
            "range": f"{low:g} to {high:g}",
            "chance": measure.null,
            "undefined": measure.undefined,
            "source": measure.source,
        },
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_browser_side(app)

    def measure(mode: str, request: dict[str, Any] | None) -> Run | None:
        if mode != VIEW.name or request is None:
            return None
        study = WordSettings.of(request).study
        return Run(request, lambda progress: word_layers_of(session, study, progress))

    opened = [Input("embeddings-mode", "value"), Input("embeddings-request", "data")]
    running.follow(app, jobs, "embeddings-layers", opened, [], measure)

    @app.callback(
        Output("embeddings-layers-graph", "figure"),
        Output("embeddings-layers-graph", "style"),
        Output("embeddings-layers-verdict", "children"),
        Output("embeddings-layers-caption", "children"),
        Input("embeddings-layers-request", "data"),
        Input("theme", "data"),
        Input("embeddings-mode", "value"),
        State("embeddings-layer", "value"),
    )
    def show_layers(request: dict[str, Any] | None, theme: str, mode: str, layer: int) -> Any:
        if request is None or mode != VIEW.name:
            # An empty figure takes the nodes of a hidden one out of the page.
            left = ctx.triggered_id == "embeddings-mode"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 3
        layers = word_layers_of(session, WordSettings.of(request).study)
        return (
            layers_figure(layers, theme, layer),
            {"height": layers_height(layers)},
            layers_verdict(layers),
            layers_caption(layers),
        )


def _register_browser_side(app: Dash) -> None:
    def browser(name: str, *wiring: Any) -> None:
        app.clientside_callback(ClientsideFunction("embeddings_layers", name), *wiring)

    browser(
        "view",
        Output("embeddings-layers-state", "data"),
        Input("embeddings-layers-request", "data"),
        Input("embeddings-layer", "value"),
    )
    browser(
        "pick",
        Output("embeddings-layer", "value", allow_duplicate=True),
        Input("embeddings-layers-graph", "clickData"),
    )
    browser("mark", Output("embeddings-layers-graph", "id"), Input("embeddings-layer", "value"))
    browser("open", Output("embeddings-layers-help", "opened"), Input("embeddings-layers-open", "n_clicks"))
