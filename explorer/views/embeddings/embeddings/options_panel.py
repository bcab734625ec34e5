"""How the plane of the Embeddings page is made: its basis, its scaling, and what it shows.

The fields ─> embeddings-plane-switches    in the browser (assets/embeddings-embeddings.js), which knows whether it
                                           can draw three dimensions; t-SNE takes the layer along
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from explorer.views.panel.fields import choice, labelled, switch

_BASES = {"layer": "each layer’s own axes", "all": "one for all layers", "vocabulary": "vocabulary"}
_NORMALISE = {"none": "raw vectors", "unit": "unit length", "standard": "standardised"}
_METHODS = {"pca": "PCA", "tsne": "t-SNE"}

# In the order assets/embeddings-embeddings.js takes them.
_FIELDS = {
    "basis": Input("embeddings-basis", "value"),
    "normalise": Input("embeddings-normalise", "value"),
    "method": Input("embeddings-method", "value"),
    "axes": Input("embeddings-axes", "value"),
    "arrows": Input("embeddings-arrows", "checked"),
    "paths": Input("embeddings-paths", "checked"),
    "anchors_shown": Input("embeddings-anchors-shown", "checked"),
    "others": Input("embeddings-others", "checked"),
    "drop_first": Input("embeddings-drop-first", "checked"),
}


def layout() -> Any:
    """The switches, for a row over the plane."""
    return html.Div(
        [
            dcc.Store(id="embeddings-plane-switches"),
            html.Button(
                "▶ Play",
                id="embeddings-play",
                className="save",
                title="Move through the layers, one after the other; press again to pause",
            ),
            labelled(
                "Axes",
                "What the axes are fitted on",
                choice(
                    "embeddings-basis",
                    _BASES,
                    "layer",
                    174,
                    "What the axes are fitted on: the word’s vectors at each layer, at all layers "
                    "together (fixed while the layers play), or 2,000 words of the vocabulary",
                ),
            ),
            choice(
                "embeddings-normalise",
                _NORMALISE,
                "none",
                122,
                "As they are, each scaled to length 1, or each dimension to variance 1: keeps "
                "one large dimension or one long vector from owning the picture",
            ),
            choice(
                "embeddings-method",
                _METHODS,
                "pca",
                78,
                "Principal components, or t-SNE, which keeps neighbours but no distances and "
                "shows one layer at a time",
            ),
            dmc.SegmentedControl(
                id="embeddings-axes",
                value="2",
                size="xs",
                data=[{"value": "2", "label": "2-D"}, {"value": "3", "label": "3-D"}],
            ),
            switch("embeddings-arrows", "arrows", "From the static vector to each occurrence", checked=True),
            switch(
                "embeddings-paths", "paths", "Each occurrence’s way through all layers; needs one basis for all layers"
            ),
            switch(
                "embeddings-anchors-shown", "anchors", "Words of reference, placed in the same basis", checked=True
            ),
            switch("embeddings-others", "other tokens", "A sample of the sentences’ other tokens"),
            switch(
                "embeddings-drop-first",
                "fit without position 0",
                "Leave occurrences that are a text’s first token out of the fit: in many "
                "models its vector is far longer than all others",
            ),
        ],
        className="controls",
    )


def register(app: Dash) -> None:
    """Wire the fields, in the browser."""
    app.clientside_callback(
        ClientsideFunction("embeddings_embeddings", "switches"),
        Output("embeddings-plane-switches", "data"),
        Output("embeddings-plane-note", "children"),
        Output("embeddings-paths", "disabled"),
        Output("embeddings-basis", "disabled"),
        Output("embeddings-play", "disabled"),
        Input("embeddings-layer", "value"),
        *_FIELDS.values(),
        State("embeddings-plane-switches", "data"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("embeddings_embeddings", "play"),
        Output("embeddings-play", "title"),
        Input("embeddings-play", "n_clicks"),
        State("embeddings-layer", "value"),
        State("embeddings-layer", "max"),
    )
