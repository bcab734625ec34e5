"""What figures of points in a PCA plane share: layout, axes, the chosen point's ring, and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.style import Theme, axis, base_layout, title
from explorer.records import FloatArray

_RING = 17  # pixels


def plane_layout(colours: Theme, heading: str, **more: Any) -> dict[str, Any]:
    """The layout of a figure with a title above and a legend below."""
    legend = {"orientation": "h", "x": 0, "y": 0, "yanchor": "bottom", "yref": "container"}
    return base_layout(
        colours,
        title=title(heading),
        legend=legend | {"font": {"size": 12, "color": colours.ink}, "itemsizing": "constant"},
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        hovermode="closest",
        **more,
    )


def framed_axis(colours: Theme, name: str, **more: Any) -> dict[str, Any]:
    """An axis with ticks outside, on both sides of the plane."""
    return axis(colours, name, ticks="outside", ticklen=3, showline=True, mirror=True, **more)


def component_axis(colours: Theme, number: int, share: float, **more: Any) -> dict[str, Any]:
    """The axis of a principal component, with its share of the variance."""
    return framed_axis(colours, f"principal component {number} ({share:.1%} of the variance)", **more)


def ring(points: FloatArray, name: str, colours: Theme, **axes: str) -> go.Scatter:
    """A ring around the chosen point [1, 2]; nothing where there is none, or it is NaN."""
    points = points[np.isfinite(points).all(axis=1)]
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        name=name,
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
        marker={
            "size": _RING,
            "symbol": "circle-open",
            "color": colours.accent,
            "line": {"width": 2.5, "color": colours.accent},
        },
        **axes,
    )


def names_trace(
    points: FloatArray,
    texts: Sequence[str],
    chosen: Sequence[bool],
    inks: Sequence[str],
    mark: int,
    colours: Theme,
    **axes: str,
) -> go.Scatter:
    """Names above their points [N, 2], the chosen one's bold and in the accent.

    Args:
        points: where they are.
        texts: the names, as markup.
        chosen: whether each is the chosen point's.
        inks: the colours of the others.
        mark: size of the points' marks in pixels.
        colours: the theme.
        axes: ``xaxis`` and ``yaxis``, where the figure has several planes.
    """
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers+text",
        name="names",
        showlegend=False,
        hoverinfo="skip",
        textposition="top center",
        cliponaxis=False,
        # Transparent marks keep the names off the visible ones.
        marker={"opacity": 0, "size": [1 + (_RING if one else mark) for one in chosen]},
        text=[f"<b>{text}</b>" if one else text for text, one in zip(texts, chosen, strict=True)],
        textfont={
            "size": 12,
            "color": [colours.accent if one else ink for ink, one in zip(inks, chosen, strict=True)],
        },
        **axes,
    )
