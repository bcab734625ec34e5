"""The large map of the Heads page, and its zoom.

heads-request, heads-layer, heads-head, the switches, heads-window, theme ─> heads-heatmap,
                                               caption, facts, heads-heatmap-state (its state)
a zoom (in the browser) ─> heads-window

Nothing is drawn while another view is on the screen; heads-heatmap-state is updated all the same, as the
other views read it.
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads import options_panel as heads_switches
from explorer.views.heads.facts import head_facts
from explorer.views.heads.heatmap import VIEW
from explorer.views.heads.heatmap import tokens_panel as heads_tokens
from explorer.views.heads.heatmap.compute import MOST_CELLS, compute
from explorer.views.heads.heatmap.figure import heatmap_caption, heatmap_figure
from explorer.views.heads.page import MapSettings
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE, graph
from explorer.views.panel.text import chosen_stack
from explorer.views.panel.view_panel import part

_MESSAGE = "the chosen head’s map appears here"


def layout() -> Any:
    """The map, its tokens and its caption."""
    caption = html.P(id="heads-caption", className="caption")
    return part(VIEW, graph("heads-heatmap", _MESSAGE, ZOOMABLE), heads_tokens.layout(), caption)


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the map to the page's stores."""
    app.clientside_callback(
        ClientsideFunction("heads_heatmap", "zoom"),
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
        Output(VIEW.state, "data"),
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
        text = TextRequest(**request)
        cap = session.capture(text)
        source = chosen_stack(cap, chosen["stack"])
        settings = MapSettings.of(
            {
                **session.read_of(text).as_dict(),
                "stack": source.name if len(cap.stacks) > 1 else "",
                "layer": within(chosen["layer"], source.n_layers - 1),
                "head": within(chosen["head"], source.n_heads - 1),
                **heads_switches.switches_in(chosen),
                "window": window or "",
            }
        )
        facts = head_facts(source, settings.layer, settings.head), "" if cap.pair else "hidden"
        if chosen["mode"] != VIEW.name:
            # When another view is opened, the map's nodes are removed from the page.
            switched = ctx.triggered_id == "heads-mode"
            return blank_figure(_MESSAGE) if switched else no_update, no_update, *facts, settings.as_dict()
        try:
            record = compute(session, settings.check(), most=MOST_CELLS)
            figure = heatmap_figure(record, theme, settings.log, settings.palette)
        except (ValueError, ModelError) as error:
            return no_update, running.error_line(str(error)), *facts, no_update
        return figure, heatmap_caption(record, settings.log, settings.palette), *facts, settings.as_dict()


def within(value: Any, last: int) -> int:
    """A number from a field or an address, clamped to 0…last."""
    return min(max(int(value or 0), 0), last)
