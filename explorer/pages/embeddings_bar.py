"""What the views of the Embeddings page share: which one is on the screen, and the layer.

embeddings-request ─> embeddings-layer    its length; the middle of another model's layers
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from explorer.pages import (
    embeddings_layers,
    embeddings_meaning,
    embeddings_plane,
    embeddings_positions,
    embeddings_pull,
    embeddings_similarity,
)
from explorer.pages.embeddings_request import study
from explorer.session import Session

DEFAULT_LAYER = 3
MODES = tuple(
    view.MODE
    for view in (
        embeddings_plane,
        embeddings_layers,
        embeddings_similarity,
        embeddings_meaning,
        embeddings_pull,
        embeddings_positions,
    )
)


def layout() -> Any:
    """The header over all views."""
    return html.Header(
        [
            dmc.SegmentedControl(
                id="embeddings-mode", value=MODES[0], size="xs", data=list(MODES)
            ),
            html.Label("Layer", htmlFor="embeddings-layer",
                       title="0 is what the first block is given; the last is the model's result"),
            dmc.Slider(
                id="embeddings-layer", value=DEFAULT_LAYER, min=0, max=6, step=1, size="sm",
                labelAlwaysOn=False, marks=[], updatemode="drag", className="layer-slider",
            ),
            html.Div(id="embeddings-facts", className="facts"),
        ]
    )  # fmt: skip


def register(app: Dash, session: Session) -> None:
    """Wire the slider to what was run."""

    @app.callback(
        Output("embeddings-layer", "max"),
        Output("embeddings-layer", "value"),
        Output("embeddings-layer", "marks"),
        Input("embeddings-request", "data"),
        State("embeddings-layer", "value"),
        State("embeddings-layer", "max"),
        State("embeddings-view", "data"),
    )
    def fit_slider(request: dict[str, Any] | None, layer: int, before: int, view: Any) -> Any:
        if request is None:
            return (no_update,) * 3
        last = len(study(session, request).contextual) - 1
        step = max(1, -(-last // 10))
        marks = [{"value": value, "label": str(value)} for value in range(0, last + 1, step)]
        # The middle of another model's layers is a better guess than the same number; but the
        # first number is the address's.
        value = min(layer, last) if last == before or view is None else round(last / 2)
        return last, value, marks
