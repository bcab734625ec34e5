"""What the views of the Embeddings page share: which one is on the screen, and the layer.

embeddings-request ─> embeddings-layer    its length; the middle of another model's layers
embeddings-mode (in the browser) ─> which view is visible
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from explorer.session.session import Session
from explorer.views.embeddings.page import PAGE, WordSettings
from explorer.views.embeddings.study import study_of
from explorer.views.panel.view_panel import mode_switch, show_chosen_view


def layout() -> Any:
    """The header over all views."""
    layer = dmc.Slider(
        id="embeddings-layer",
        value=WordSettings.layer,
        min=0,
        max=6,
        size="sm",
        marks=[],
        updatemode="drag",
        className="layer-slider",
    )
    return html.Header(
        [
            mode_switch(PAGE),
            html.Label("Layer", htmlFor="embeddings-layer", title=WordSettings.help_of("layer")),
            layer,
            html.Div(id="embeddings-facts", className="facts"),
        ]
    )


def register(app: Dash, session: Session) -> None:
    """Fit the slider to the model, and show the chosen view."""
    show_chosen_view(app, PAGE)

    @app.callback(
        Output("embeddings-layer", "max"),
        Output("embeddings-layer", "value"),
        Output("embeddings-layer", "marks"),
        Input("embeddings-request", "data"),
        State("embeddings-layer", "value"),
        State("embeddings-layer", "max"),
        State("embeddings-layer", "marks"),
    )
    def fit_slider(request: dict[str, Any] | None, layer: int, before: int, marked: list[Any]) -> Any:
        if request is None:
            return (no_update,) * 3
        last = len(study_of(session, WordSettings.of(request).study).contextual) - 1
        step = max(1, -(-last // 10))
        marks = [{"value": value, "label": str(value)} for value in range(0, last + 1, step)]
        # Another model starts at its middle layer; the first number comes from the address.
        value = min(max(layer, 0), last) if last == before or not marked else round(last / 2)
        return last, value, marks
