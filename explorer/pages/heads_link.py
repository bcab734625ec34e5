"""Which heads link two tokens: chosen by name, or by a click in the map.

a click in the map ─> heads-query, heads-key ─> heads-link ─> the grid of heads, the table
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import Dash, Input, Output, State, html, no_update

from explorer.exhibits.heatmap import switches_of
from explorer.exhibits.state import text_request
from explorer.pages.heads_columns import LINK
from explorer.pages.heads_tokens import region_of
from explorer.session import Session, TextRequest
from explorer.views.maps import tokens_of_cell
from explorer.views.overview import link_weights


def layout() -> Any:
    """The two tokens to choose."""
    why = "Which heads link two tokens? Choose both here, or click a cell of the map"
    chosen: Any = {"data": [], "size": "xs", "w": 104, "searchable": True, "limit": 60,
                   "clearable": True, "nothingFoundMessage": "no such token"}  # fmt: skip
    return html.Div(
        [
            html.B("Which heads link"),
            dmc.Select(id="heads-query", placeholder="query", **{"aria-label": "Query"}, **chosen),
            html.Span("→"),
            dmc.Select(id="heads-key", placeholder="key", **{"aria-label": "Key"}, **chosen),
            html.Span(id="heads-link-best", className="muted"),
        ],
        title=why,
        className="link",
    )  # fmt: skip


def register(app: Dash, session: Session) -> None:
    """Wire the two tokens to the grid of heads and the table."""

    @app.callback(
        Output("heads-query", "data"),
        Output("heads-key", "data"),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
    )
    def offer_tokens(request: dict[str, Any] | None, stack: str) -> Any:
        if request is None:
            return no_update, no_update
        cap = session.capture(TextRequest(**request))
        source = cap.stack(stack if stack in cap.stacks else None)
        return tuple(
            [{"value": str(place), "label": label} for place, label in enumerate(labels)]
            for labels in (source.queries, source.keys)
        )

    @app.callback(
        Output("heads-query", "value"),
        Output("heads-key", "value"),
        Output("heads-show", "value"),
        Input("heads-heatmap", "clickData"),
        State("heads-view", "data"),
        State("heads-window", "data"),
    )
    def take_cell(
        click: dict[str, Any] | None, view: dict[str, Any] | None, window: list[list[int]] | None
    ) -> Any:
        if not click or view is None:
            return (no_update,) * 3
        cap = session.capture(text_request(view))
        point = click["points"][0]
        query, key = tokens_of_cell(
            cap, view["layer"], view["head"], view["stack"] or None, switches_of(view, cap.pair),
            region_of(window), (point["y"], point["x"]),
        )  # fmt: skip
        return str(query), str(key), LINK

    @app.callback(
        Output("heads-link", "data"),
        Output("heads-link-best", "children"),
        Input("heads-query", "value"),
        Input("heads-key", "value"),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
    )
    def show_link(
        query: str | None, key: str | None, request: dict[str, Any] | None, stack: str
    ) -> Any:
        if request is None or not query or not key:
            return None, "choose two tokens, or click a cell"
        cap = session.capture(TextRequest(**request))
        name = stack if stack in cap.stacks else None
        source = cap.stack(name)
        if int(query) >= len(source.queries) or int(key) >= len(source.keys):
            return None, "choose two tokens, or click a cell"
        weights = link_weights(cap, int(query), int(key), name)
        layer, head = np.unravel_index(int(weights.argmax()), weights.shape)
        best = f"most: layer {layer} · head {head} ({weights[layer, head]:.2f})"
        return [int(query), int(key)], best
