"""Which heads link two tokens: chosen by name, or by a click in the map.

a click in the map ─> heads-query, heads-key ─> heads-link ─> the grid of heads, the table
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import Dash, Input, Output, State, html, no_update

from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.heatmap.compute import MOST_CELLS, options_of, region_of, tokens_of_cell
from explorer.views.heads.overview.compute import link_weights
from explorer.views.heads.page import LINK, MapSettings
from explorer.views.panel import fields
from explorer.views.panel.text import chosen_stack


def layout() -> Any:
    """The two tokens to choose."""
    select: Any = {
        "data": [],
        "size": "xs",
        "w": 104,
        "searchable": True,
        "limit": 60,
        "clearable": True,
        "nothingFoundMessage": "no such token",
    }
    return html.Div(
        [
            html.B("Which heads link"),
            dmc.Select(id="heads-query", placeholder="query", **{"aria-label": "Query"}, **select),
            html.Span("→"),
            dmc.Select(id="heads-key", placeholder="key", **{"aria-label": "Key"}, **select),
            html.Span(id="heads-link-best", className="muted"),
        ],
        title="Which heads link two tokens? Choose both here, or click a cell of the map",
        className="link",
    )


def register(app: Dash, session: Session) -> None:
    """Wire the two tokens to the grid of heads and the table."""

    @app.callback(
        Output("heads-query", "data"),
        Output("heads-key", "data"),
        Output("heads-query", "value", allow_duplicate=True),
        Output("heads-key", "value", allow_duplicate=True),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
        State("heads-query", "value"),
        State("heads-key", "value"),
    )
    def offer_tokens(request: dict[str, Any] | None, stack: str, query: str | None, key: str | None) -> Any:
        if request is None:
            return (no_update,) * 4
        cap = session.capture(TextRequest(**request))
        source = chosen_stack(cap, stack)
        sides = (source.query_tokens.labels, query), (source.key_tokens.labels, key)
        options = [fields.options_of({str(index): label for index, label in enumerate(labels)}) for labels, _ in sides]
        return *options, *(no_update if _is_token(token, labels) else None for labels, token in sides)

    @app.callback(
        Output("heads-query", "value"),
        Output("heads-key", "value"),
        Output("heads-show", "value"),
        Input("heads-heatmap", "clickData"),
        State("heads-heatmap-state", "data"),
        State("heads-window", "data"),
    )
    def take_cell(click: dict[str, Any] | None, view: dict[str, Any] | None, window: str | None) -> Any:
        if not click or view is None:
            return (no_update,) * 3
        cap = session.capture(TextRequest.of(view))
        point = click["points"][0]
        query, key = tokens_of_cell(
            cap,
            view["layer"],
            view["head"],
            view["stack"] or None,
            options_of(MapSettings.of(view), cap.pair),
            region_of(window or "", MOST_CELLS),
            (point["y"], point["x"]),
        )
        return str(query), str(key), LINK

    @app.callback(
        Output("heads-link", "data"),
        Output("heads-link-best", "children"),
        Input("heads-query", "value"),
        Input("heads-key", "value"),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
    )
    def show_link(query: str | None, key: str | None, request: dict[str, Any] | None, stack: str) -> Any:
        if request is None or not query or not key:
            return None, "choose two tokens, or click a cell"
        cap = session.capture(TextRequest(**request))
        source = chosen_stack(cap, stack)
        if not _is_token(query, source.query_tokens.labels) or not _is_token(key, source.key_tokens.labels):
            return None, "choose two tokens, or click a cell"
        weights = link_weights(cap, int(query), int(key), source.name)
        layer, head = np.unravel_index(int(weights.argmax()), weights.shape)
        best = f"most: layer {layer} · head {head} ({weights[layer, head]:.2f})"
        return [int(query), int(key)], best


def _is_token(chosen: str | None, labels: tuple[str, ...]) -> bool:
    """Whether a choice is empty or a token of the text; the text before may have had more."""
    return not chosen or (chosen.isdecimal() and int(chosen) < len(labels))
