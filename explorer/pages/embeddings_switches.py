"""How the plane of the Embeddings page is made: its basis, its scaling, and what it shows.

The fields ─> embeddings-plane-switches    in the browser (assets/plane.js), which knows whether it
                                           can draw three dimensions; t-SNE takes the layer along
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from explorer.records import PlaneParts, PlaneSwitches

_BASES = {
    "layer": "each layer’s own axes", "all": "one for all layers", "vocabulary": "vocabulary",
}  # fmt: skip
_NORMALISE = {"none": "raw vectors", "unit": "unit length", "standard": "standardised"}
_METHODS = {"pca": "PCA", "tsne": "t-SNE"}

# In the order assets/plane.js takes them.
_FIELDS = {
    "basis": Input("embeddings-basis", "value"),
    "normalise": Input("embeddings-normalise", "value"),
    "method": Input("embeddings-method", "value"),
    "axes": Input("embeddings-axes", "value"),
    "arrows": Input("embeddings-arrows", "checked"),
    "paths": Input("embeddings-paths", "checked"),
    "anchors": Input("embeddings-anchors-shown", "checked"),
    "others": Input("embeddings-others", "checked"),
    "drop_first": Input("embeddings-drop-first", "checked"),
}


def layout() -> Any:
    """The switches, for a row over the plane."""
    return html.Div(
        [
            dcc.Store(id="embeddings-plane-switches"),
            html.Button(
                "▶ Play", id="embeddings-play", className="save",
                title="Move through the layers, one after the other; press again to pause",
            ),
            _choice("basis", "Axes", _BASES, 174,
                    "What the axes are fitted on: the word’s vectors at each layer, at all layers "
                    "together (fixed while the layers play), or 2,000 words of the vocabulary"),
            _choice("normalise", "", _NORMALISE, 122,
                    "As they are, each scaled to length 1, or each dimension to variance 1: keeps "
                    "one large dimension or one long vector from owning the picture"),
            _choice("method", "", _METHODS, 78,
                    "Principal components, or t-SNE, which keeps neighbours but no distances and "
                    "shows one layer at a time"),
            dmc.SegmentedControl(
                id="embeddings-axes", value="2", size="xs",
                data=[{"value": "2", "label": "2-D"}, {"value": "3", "label": "3-D"}],
            ),
            _switch("arrows", "arrows", "From the static vector to each occurrence", checked=True),
            _switch("paths", "paths",
                    "Each occurrence’s way through all layers; needs one basis for all layers"),
            _switch("anchors-shown", "anchors", "Words of reference, placed in the same basis",
                    checked=True),
            _switch("others", "other tokens", "A sample of the sentences’ other tokens"),
            _switch("drop-first", "fit without position 0",
                    "Leave occurrences that are a text’s first token out of the fit: in many "
                    "models its vector is far longer than all others"),
        ],
        className="controls",
    )  # fmt: skip


def _choice(name: str, label: str, options: dict[str, str], width: int, why: str) -> Any:
    data = [{"value": value, "label": said} for value, said in options.items()]
    select = dmc.Select(
        id=f"embeddings-{name}", data=data, value=next(iter(options)), size="xs", w=width,
        allowDeselect=False, **{"aria-label": why},
    )  # fmt: skip
    return html.Label([label, select], title=why, className="selector")


def _switch(name: str, label: str, why: str, checked: bool = False) -> Any:
    switch = dmc.Switch(id=f"embeddings-{name}", label=label, checked=checked, size="xs")
    return html.Span(switch, title=why)


def switches_of(kept: dict[str, Any]) -> PlaneSwitches:
    """What the plane is fitted on, out of what the browser keeps; t-SNE is of one layer."""
    tsne = kept["method"] == "tsne"
    return PlaneSwitches(
        basis="layer" if tsne else kept["basis"],
        normalise=kept["normalise"],
        method=kept["method"],
        axes=int(kept["axes"]),
        drop_first=kept["drop_first"],
    )


def parts_of(kept: dict[str, Any]) -> PlaneParts:
    """What the plane shows, out of what the browser keeps."""
    return PlaneParts(
        arrows=kept["arrows"], paths=kept["paths"], anchors=kept["anchors"], others=kept["others"]
    )


def register(app: Dash) -> None:
    """Wire the fields, in the browser."""
    app.clientside_callback(
        ClientsideFunction("plane", "switches"),
        Output("embeddings-plane-switches", "data"),
        Output("embeddings-plane-note", "children"),
        Output("embeddings-paths", "disabled"),
        Output("embeddings-basis", "disabled"),
        Output("embeddings-play", "disabled"),
        Input("embeddings-layer", "value"),
        *_FIELDS.values(),
        State("embeddings-plane-switches", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("plane", "play"),
        Output("embeddings-play", "title"),
        Input("embeddings-play", "n_clicks"),
        State("embeddings-layer", "value"),
        State("embeddings-layer", "max"),
    )
