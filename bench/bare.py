"""A bare Dash app to hold the page's clicks against: a grid of heads, and the one clicked.

    python bench/bare.py PORT ATTENTION.npy

The array [L, H, N, N] holds every head's weights, ready. Nothing is labelled, coarsened or
compressed: what is left is what Dash and Plotly take for N × N numbers.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html
from waitress import serve


def create_app(attention: np.ndarray) -> Dash:
    """The app: ids ``grid`` and ``map``."""
    app = Dash("bare")
    grid = go.Figure(go.Heatmap(z=np.zeros(attention.shape[:2])))
    first = go.Figure(go.Heatmap(z=attention[0, 0]))
    app.layout = html.Div([dcc.Graph(id="grid", figure=grid), dcc.Graph(id="map", figure=first)])

    @app.callback(Output("map", "figure"), Input("grid", "clickData"), prevent_initial_call=True)
    def show(click: dict[str, Any]) -> go.Figure:
        head, layer = (click["points"][0][axis] for axis in "xy")
        title = f"layer {layer} · head {head}"
        return go.Figure(go.Heatmap(z=attention[layer, head]), {"title": {"text": title}})

    return app


def main() -> None:
    """Serve the array that is named, until the process is ended."""
    port, path = sys.argv[1:]
    app = create_app(np.load(path, mmap_mode="r"))
    print(f"http://127.0.0.1:{port}", flush=True)
    serve(app.server, host="127.0.0.1", port=int(port), threads=8, ident=None)


if __name__ == "__main__":
    main()
