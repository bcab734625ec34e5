"""The tokens below the large map: hovering one shows where it looks and who looks at it.

heads-request, heads-window, the switches that change what is drawn ─> heads-tokens
a hovered token (in the browser, assets/heads-heatmap-tokens.js) ─> the weights of its row or column

Which head is chosen changes nothing here.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, html, no_update

from explorer.records import MapOptions
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.heatmap.compute import MOST_CELLS, map_labels, region_of

_MOST_LISTED = 300  # each a node of the page


def layout() -> Any:
    """Where the tokens are listed."""
    return html.Div(id="heads-tokens", className="tokens")


def strip(queries: tuple[str, ...], keys: tuple[str, ...]) -> list[Any]:
    """A map's tokens in two lines."""
    if max(len(queries), len(keys)) > _MOST_LISTED:
        return [f"Zoom in to at most {_MOST_LISTED} tokens to see them listed here."]
    lines = ("looks", "query", queries), ("is looked at", "key", keys)
    return [html.Div([html.B(title), *_tokens(side, labels)]) for title, side, labels in lines]


def _tokens(side: str, labels: tuple[str, ...]) -> list[Any]:
    places: Any = ({f"data-{side}": index} for index in range(len(labels)))
    return [html.Span(label, **place) for label, place in zip(labels, places, strict=True)]


def register(app: Dash, session: Session) -> None:
    """Wire the tokens to what is drawn."""

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
        except ValueError:  # the map's caption says why there is none
            return []
