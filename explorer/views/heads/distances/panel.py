"""The Heads page's map of heads: heads that attend to the same tokens are near each other.

heads-mode, heads-request, heads-stack ─> heads-distances-job   (every two heads are compared)
    ─> heads-distances-request, heads-distances-colour, heads-palette, theme ─>
           heads-distances-graph, caption, heads-distances-state (its state)
a click on a point (in the browser) ─> heads-layer, heads-head
heads-layer, heads-head (in the browser) ─> the ring

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html

from explorer.analysis.measures import MEASURES
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.distances import LAYER, VIEW, DistancesSettings
from explorer.views.heads.distances.compute import compute
from explorer.views.heads.distances.figure import distances_caption, distances_figure
from explorer.views.heads.heads.panel import stack_request
from explorer.views.heads.heatmap.panel import within
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE, choice, graph
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the heads appear here, alike ones near each other"


def layout() -> Any:
    """The view's components."""
    colours = {LAYER: "layer", **{measure.name: measure.title for measure in MEASURES.values()}}
    controls = [
        html.B("coloured by"),
        choice("heads-distances-colour", colours, LAYER, 190, DistancesSettings.help_of("colour")),
        html.Span("Click a head to choose it; drag to zoom.", className="muted"),
    ]
    return part(
        VIEW,
        *running.stores("heads-distances"),
        html.Div(controls, className="controls"),
        html.Div(id="heads-distances-message"),
        graph("heads-distances-graph", _MESSAGE, ZOOMABLE),
        html.P(id="heads-distances-caption", className="caption"),
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_browser_side(app)

    def compare(mode: str, request: dict[str, Any] | None, stack: str) -> Run | None:
        text_and_stack = stack_request(session, request, stack) if mode == VIEW.name else None
        if text_and_stack is None:
            return None
        settings = DistancesSettings.of(text_and_stack)
        return Run(text_and_stack, lambda progress: compute(session, settings, progress))

    inputs = [Input("heads-mode", "value"), Input("heads-request", "data"), Input("heads-stack", "value")]
    running.follow(app, jobs, "heads-distances", inputs, [], compare)

    @draws(
        app,
        VIEW,
        ["heads-distances-graph"],
        [
            Input("heads-distances-request", "data"),
            Input("heads-distances-colour", "value"),
            Input("heads-palette", "value"),
            Input("theme", "data"),
            State("heads-layer", "value"),
            State("heads-head", "value"),
        ],
        [Output("heads-distances-caption", "children")],
        _MESSAGE,
    )
    def draw_heads(
        request: dict[str, Any] | None, colour: str, palette: str, theme: str, layer: Any, head: Any
    ) -> Drawing | None:
        if request is None:
            return None
        settings = DistancesSettings.of({**request, "colour": colour, "palette": palette})
        record = compute(session, settings)
        n_layers, n_heads = record.measures["entropy"].shape
        chosen = within(layer, n_layers - 1), within(head, n_heads - 1)
        figure = distances_figure(record, colour, theme, palette, chosen)
        return Drawing([figure], settings, [distances_caption(record, colour)])


def _register_browser_side(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("heads_distances", "pick"),
        Output("heads-layer", "value", allow_duplicate=True),
        Output("heads-head", "value", allow_duplicate=True),
        Input("heads-distances-graph", "clickData"),
    )
    app.clientside_callback(
        ClientsideFunction("heads_distances", "ring"),
        Output("heads-distances-graph", "id"),
        Input("heads-layer", "value"),
        Input("heads-head", "value"),
        Input("heads-distances-graph", "figure"),
    )
