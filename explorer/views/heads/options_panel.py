"""How the Heads page's maps are read: which heads together, which weights, tokens and colours.

heads-over ─> heads-set        the heads taken together are chosen only where there are several
heads-mode ─> heads-over-field, heads-norm-field     lines are always of each head's own weights
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from explorer.figures.style import PALETTES, SEQUENTIAL
from explorer.session.settings import State as Settings
from explorer.views.heads.page import PARTS
from explorer.views.panel.fields import choice, switch

_OVER = {"head": "this head", "mean": "mean of heads", "max": "max of heads", "sum": "sum of heads"}

# What the page keeps of the switches, by the name of their field.
FIELDS = {
    "aggregate": Input("heads-over", "value"),
    "heads": Input("heads-set", "value"),
    "norm": Input("heads-norm", "checked"),
    "words": Input("heads-words", "checked"),
    "special": Input("heads-special", "checked"),
    "part": Input("heads-part", "value"),
    "log": Input("heads-log", "checked"),
    "palette": Input("heads-palette", "value"),
}


def layout() -> list[Any]:
    """The switches, for the page's bar."""
    return [
        choice(
            "heads-over",
            _OVER,
            "head",
            128,
            "This head, or several taken together; a sum is defined for norm-based weights only",
        ),
        html.Span(
            dmc.MultiSelect(
                id="heads-set",
                value=[],
                data=[],
                size="xs",
                w=210,
                limit=60,
                clearable=True,
                searchable=True,
                placeholder="all of the layer, or layer.head",
                selectFirstOptionOnChange=True,
                hidePickedOptions=True,
                nothingFoundMessage="no such head",
                **{"aria-label": "Heads taken together"},
            ),
            id="heads-set-field",
            title="Which heads are taken together, of any layers; none: all of the layer",
            className="hidden",
        ),
        html.Div(
            [
                switch(
                    "heads-norm",
                    "norm-based",
                    "Norm-based weights (Kobayashi et al. 2020): how long a vector each key adds "
                    "to the query’s output, not only how much attention it gets",
                ),
                switch(
                    "heads-words", "words", "Merge pieces into words: a key's pieces are summed, a query's averaged"
                ),
                switch(
                    "heads-special",
                    "special tokens",
                    "Show tokens the tokenizer added; rows are not renormalised without them",
                    checked=True,
                ),
                switch("heads-log", "log colours", "Colour by order of magnitude, so that small weights show"),
                choice(
                    "heads-part",
                    {part: part if part != "all" else "both texts" for part in PARTS},
                    "all",
                    100,
                    "Of a pair: which text's queries and keys",
                ),
                choice(
                    "heads-palette",
                    {name: name for name in PALETTES},
                    SEQUENTIAL,
                    92,
                    "Colours: all are even in lightness; greys are for print",
                ),
            ],
            className="switches",
        ),
    ]


def switches_in(chosen: dict[str, Any]) -> Settings:
    """The fields' values as settings."""
    return {**{name: chosen[name] for name in FIELDS}, "heads": ",".join(chosen["heads"] or [])}


def register(app: Dash) -> None:
    """Offer the switches that the view has."""
    app.clientside_callback(
        ClientsideFunction("heads", "offerSwitches"),
        Output("heads-set-field", "className"),
        Output("heads-over-field", "className"),
        Output("heads-norm-field", "className"),
        Input("heads-over", "value"),
        Input("heads-mode", "value"),
    )
