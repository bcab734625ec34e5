"""A query and keys as strips of dimensions, and their products."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.figures.caption import AXIS, cut
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import DIVERGING, Theme, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import FloatArray, QueryRow
from explorer.views.inside.worksheet import WorksheetSettings
from explorer.views.inside.worksheet.compute import key_of

_WIDTH = 760  # pixels, in a file
_MOST_KEYS = 12  # with their products
_STRIP = 22  # pixels of a strip in a file
_DECIDE = 0.8  # of the products of the score's own sign


def strips_figure(row: QueryRow, key: int, before: bool = False, theme: str = "light") -> go.Figure:
    """A query, one key and their element-wise product, and the products of the heaviest keys.

    Args:
        row: the query's row.
        key: the key whose vectors are drawn.
        before: queries and keys before rotation, whose products do not add up to the score.
        theme: "light" or "dark".
    """
    colours = theme_of(theme)
    q, k = vectors_of(row, before)
    keys = heaviest(row, key)
    products = q * k[keys]
    heights = [2, 1, max(len(keys), 2)]
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=heights)
    panels = [
        (np.stack([q, k[key]]), "value", [f"q  {literal(row.query_label)}", f"k  {literal(row.labels[key])}"]),
        ((q * k[key])[None], "product", ["q⊙k"]),
        (products, "product", [f"{literal(row.labels[one])}  {products[i].sum():.2f}" for i, one in enumerate(keys)]),
    ]
    for number, (values, what, names) in enumerate(panels, start=1):
        figure.add_trace(_strips(values, what), number, 1)
        labels = {"tickvals": list(range(len(names))), "ticktext": names, "autorange": "reversed"}
        figure.update_xaxes(axis(colours, ""), row=number, col=1)
        figure.update_yaxes(axis(colours, "", **labels), row=number, col=1)
    figure.update_xaxes(axis(colours, f"dimension of the head, 0 to {row.d_head - 1}", fixedrange=False), row=3, col=1)
    heading = (
        f"{literal(model_label(row.source.model))} · layer {row.layer} · head {row.head} · "
        f"query “{literal(row.query_label)}”{' · before rotation' if before else ''}"
    )
    margin = {"l": 8, "r": 8, "t": 34, "b": 8}
    figure.update_layout(base_layout(colours, title=title(heading), margin=margin, showlegend=False))
    return figure.update_layout(_scales(row, key, colours))


def vectors_of(row: QueryRow, before: bool) -> tuple[FloatArray, FloatArray]:
    """The query [d] and the keys [K, d] that are drawn."""
    if before and row.q_before is not None and row.k_before is not None:
        return row.q_before.astype(np.float64), row.k_before.astype(np.float64)
    return row.q, row.k


def heaviest(row: QueryRow, key: int) -> list[int]:
    """Keys with most weight, heaviest first; the chosen one among them."""
    seen = np.flatnonzero(row.parts.allowed)
    order = seen[np.argsort(-row.weights[seen], kind="stable")][:_MOST_KEYS].tolist()
    return order if key in order else [*order[: _MOST_KEYS - 1], key]


def strips_caption(row: QueryRow, key: int, before: bool = False) -> str:
    """What a reader could paste under the figure."""
    q, k = vectors_of(row, before)
    product = q * k[key]
    total = float(product.sum())
    where = "before rotation" if before else "as the scores use them"
    parts = [
        f"Query and key of “{row.query_label}” and “{row.labels[key]}” {where}, dimension by dimension, "
        f"and their products, which add up to q·k = {total:.3f}.",
        "Rotation changes that sum: it makes the score depend on how far apart the two are."
        if before
        else _deciding(product, total),
        f"Below: the products of the {len(heaviest(row, key))} keys with most weight, each with its sum.",
    ]
    return " ".join([*parts, *cut(row.source.truncation)])


def _deciding(product: FloatArray, total: float) -> str:
    """How few dimensions make up most of the products of the score's own sign."""
    own = np.maximum(product * (1 if total >= 0 else -1), 0)
    order = np.argsort(-own)
    count = int(np.argmax(np.cumsum(own[order]) >= _DECIDE * own.sum())) + 1
    named = ", ".join(map(str, order[: min(count, 6)].tolist()))
    sign, more = "positive" if total >= 0 else "negative", " …" if count > 6 else ""
    return f"{count} of {len(product)} dimensions make up {_DECIDE:.0%} of its {sign} part ({named}{more})."


def _strips(values: FloatArray, what: str) -> go.Heatmap:
    return go.Heatmap(
        z=values.astype(np.float32),
        xgap=1,
        ygap=3,
        coloraxis="coloraxis" if what == "value" else "coloraxis2",
        hovertemplate=f"%{{y}}<br>dimension %{{x}}: {what} %{{z:.4f}}<extra></extra>",
    )


def _scales(row: QueryRow, key: int, colours: Theme) -> dict[str, Any]:
    """One scale for the vectors and one for the products, each even around 0.

    Both are the same before and after rotation, so that the two can be compared by colour.
    """
    bar = {"thickness": 10, "outlinewidth": 0, "tickfont": {"size": 11}, "nticks": 5}
    places = {
        "coloraxis": {"y": 1, "yanchor": "top", "len": 0.3, "title": {"text": "value", "side": "right"}},
        "coloraxis2": {"y": 0, "yanchor": "bottom", "len": 0.6, "title": {"text": "product", "side": "right"}},
    }
    largest = np.zeros(2)
    for before in (False, True):
        q, k = vectors_of(row, before)
        products = q * k[heaviest(row, key)]
        largest = np.maximum(largest, [max(np.abs(q).max(), np.abs(k[key]).max()), np.abs(products).max()])
    return {
        name: {"colorscale": DIVERGING[colours.name], "cmin": -most, "cmax": most, "colorbar": bar | place}
        for (name, place), most in zip(places.items(), [one or 1.0 for one in largest.tolist()], strict=True)
    }


def _strips_of_key(row: QueryRow, settings: WorksheetSettings, style: FigureStyle) -> SizedFigure:
    key, before = key_of(row, settings.key), settings.before and row.q_before is not None
    figure = strips_figure(row, key, before, style.theme)
    height = 150 + _STRIP * (3 + max(len(heaviest(row, key)), 2))
    return SizedFigure(figure, strips_caption(row, key, before), _WIDTH, height, AXIS)


FIGURES = {"strips": _strips_of_key}
