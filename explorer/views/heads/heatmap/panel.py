"""The large map of the Heads page, and its zoom.

heads-request, heads-layer, heads-head, the switches, heads-window, theme ─> heads-heatmap,
                                               caption, facts, heads-view (its state)
a zoom (in the browser) ─> heads-window

Nothing is drawn while another view is on the screen; heads-view is kept up all the same, for the
other views begin from it.
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads import options_panel as heads_switches
from explorer.views.heads.facts import head_facts
from explorer.views.heads.heatmap import tokens_panel as heads_tokens
from explorer.views.heads.heatmap import view as heatmap
from explorer.views.heads.heatmap.compute import MOST_CELLS
from explorer.views.heads.heatmap.figure import heatmap_caption, heatmap_figure
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE
from explorer.views.state import text_state

_MESSAGE = "the chosen head’s map appears here"


def layout() -> Any:
    """The map, its tokens and its caption."""
    graph = dcc.Graph(
        id="heads-heatmap", config=ZOOMABLE, responsive=True, className="graph", figure=blank_figure(_MESSAGE)
    )
    caption = html.P(id="heads-caption", className="caption")
    return html.Div([graph, heads_tokens.layout(), caption], id="heads-map", className="part")


def register(app: Dash, session: Session) -> None:
    """Wire the map to the page's stores."""
    app.clientside_callback(
        ClientsideFunction("explorer", "zoomHead"),
        Output("heads-window", "data"),
        Input("heads-heatmap", "relayoutData"),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
        Input("heads-words", "checked"),
        Input("heads-special", "checked"),
        Input("heads-part", "value"),
    )

    @app.callback(
        Output("heads-heatmap", "figure"),
        Output("heads-caption", "children"),
        Output("heads-facts", "children"),
        Output("heads-part-field", "className"),
        Output("heads-view", "data"),
        Input("heads-request", "data"),
        Input("heads-window", "data"),
        Input("theme", "data"),
        {
            "stack": Input("heads-stack", "value"),
            "layer": Input("heads-layer", "value"),
            "head": Input("heads-head", "value"),
            "mode": Input("heads-mode", "value"),
            **heads_switches.FIELDS,
        },
    )
    def show_head(request: dict[str, Any] | None, window: str | None, theme: str, chosen: Any) -> Any:
        if request is None:
            return (no_update,) * 5
        cap = session.capture(TextRequest(**request))
        source = cap.stack(chosen["stack"] if chosen["stack"] in cap.stacks else None)
        layer, head = (within(chosen["layer"], source.n_layers - 1), within(chosen["head"], source.n_heads - 1))
        stack = source.name if len(cap.stacks) > 1 else ""
        state = {
            **heatmap.DEFAULTS,
            **text_state(session.read_of(TextRequest(**request))),
            "stack": stack,
            "layer": layer,
            "head": head,
            **heads_switches.switches_in(chosen),
            "window": window or "",
        }
        told = head_facts(source, layer, head), "" if cap.pair else "hidden"
        if chosen["mode"] != "map":
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "heads-mode"
            return blank_figure(_MESSAGE) if left else no_update, no_update, *told, state
        log, palette = bool(state["log"]), str(state["palette"])
        try:
            drawn = heatmap.drawn(session, state, MOST_CELLS)
            figure = heatmap_figure(drawn, theme, log, palette)
        except (ValueError, ModelError) as error:
            return no_update, running.error_line(str(error)), *told, no_update
        return figure, heatmap_caption(drawn, log, palette), *told, state


def within(value: Any, last: int) -> int:
    """A number typed or linked to, brought into 0…last."""
    return min(max(int(value or 0), 0), last)
