"""How the plane of the Embeddings page is made: its basis, its scaling, and what it shows.

The fields ─> embeddings-plane-switches    in the browser (assets/embeddings-embeddings.js), which knows whether it
                                           can draw three dimensions; t-SNE takes the layer along
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from explorer.views.embeddings.page import PlaneSettings
from explorer.views.panel.fields import choice, labelled, segments, switch

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
    basis_help = (
        "What the axes are fitted on: the word’s vectors at each layer, at all layers "
        "together (fixed while the layers play), or 2,000 words of the vocabulary"
    )
    normalise_help = (
        "As they are, each scaled to length 1, or each dimension to variance 1: keeps "
        "one large dimension or one long vector from owning the picture"
    )
    method_help = (
        "Principal components, or t-SNE, which keeps neighbours but no distances and shows one layer at a time"
    )
    paths_help = "Each occurrence’s way through all layers; needs one basis for all layers"
    first_help = (
        "Leave occurrences that are a text’s first token out of the fit: in many "
        "models its vector is far longer than all others"
    )
    play = html.Button(
        "▶ Play",
        id="embeddings-play",
        className="save",
        title="Move through the layers, one after the other; press again to pause",
    )
    basis = choice("embeddings-basis", _BASES, "layer", 174, basis_help)
    return html.Div(
        [
            dcc.Store(id="embeddings-plane-switches"),
            play,
            labelled("Axes", PlaneSettings.help_of("basis"), basis),
            choice("embeddings-normalise", _NORMALISE, "none", 122, normalise_help),
            choice("embeddings-method", _METHODS, "pca", 78, method_help),
            segments("embeddings-axes", "2", {"2": "2-D", "3": "3-D"}),
            switch("embeddings-arrows", "arrows", PlaneSettings.help_of("arrows"), checked=True),
            switch("embeddings-paths", "paths", paths_help),
            switch("embeddings-anchors-shown", "anchors", PlaneSettings.help_of("anchors_shown"), checked=True),
            switch("embeddings-others", "other tokens", PlaneSettings.help_of("others")),
            switch("embeddings-drop-first", "fit without position 0", first_help),
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
