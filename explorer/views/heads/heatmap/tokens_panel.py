"""The tokens below the large map: hovering one shows what it attends to and what attends to it.

heads-request, heads-window, the switches that change the tokens ─> heads-tokens
a hovered token (in the browser, assets/heads-heatmap-tokens.js) ─> the weights of its row or column

They do not depend on the chosen head.
"""

from __future__ import annotations

from typing import Any, cast

from dash import Dash, Input, Output, html, no_update

from explorer.records import MapOptions
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.heatmap.compute import MOST_CELLS, map_labels, region_of

_MOST_LISTED = 300  # nodes of the page


def layout() -> Any:
    """The list of tokens, empty."""
    return html.Div(id="heads-tokens", className="tokens")


def strip(queries: tuple[str, ...], keys: tuple[str, ...]) -> list[Any]:
    """A map's tokens in two lines."""
    if max(len(queries), len(keys)) > _MOST_LISTED:
        return [f"Zoom in to at most {_MOST_LISTED} tokens to see them listed here."]
    lines = ("looks", "query", queries), ("is looked at", "key", keys)
    return [html.Div([html.B(title), *_tokens(side, labels)]) for title, side, labels in lines]


def _tokens(side: str, labels: tuple[str, ...]) -> list[Any]:
    return [html.Span(label, **cast(Any, {f"data-{side}": index})) for index, label in enumerate(labels)]


def register(app: Dash, session: Session) -> None:
    """Wire the tokens to the map in view."""

    @app.callback(
        Output("heads-tokens", "children"),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
        Input("heads-window", "data"),
        Input("heads-mode", "value"),
        Input("heads-words", "checked"),
        Input("heads-special", "checked"),
        Input("heads-part", "value"),
    )
    def show_tokens(
        request: dict[str, Any] | None,
        stack: str,
        window: str | None,
        mode: str,
        words: bool,
        special: bool,
        part: str,
    ) -> Any:
        if request is None:
            return no_update
        if mode != "heatmap":
            return []
        cap = session.capture(TextRequest(**request))
        switches = MapOptions(words, special, part if cap.pair else "all")
        try:
            name = stack if stack in cap.stacks else None
            return strip(*map_labels(cap, name, switches, region_of(window or "", MOST_CELLS)))
        except ValueError:  # which the map's caption shows
            return []
