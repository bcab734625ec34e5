"""What each component of a basis explains."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.figures.style import axis, base_layout, theme_of
from explorer.records import WordProjection

_MOST = 12  # components that are drawn


def scree_figure(shown: WordProjection, theme: str = "light") -> go.Figure:
    """A bar a component, largest first; those that are the picture's axes in the accent."""
    colours = theme_of(theme)
    shares = shown.scree[:_MOST]
    axes = shown.switches.axes
    numbers = list(range(1, len(shares) + 1))
    return go.Figure(
        go.Bar(
            x=numbers,
            y=100 * shares,
            marker={"color": [colours.accent if n <= axes else colours.hatch for n in numbers]},
            hovertemplate="component %{x}: %{y:.2f}% of the variance<extra></extra>",
        ),
        base_layout(
            colours,
            xaxis=axis(colours, "component", dtick=1 if len(numbers) < 8 else 2, fixedrange=True),
            yaxis=axis(
                colours,
                "% of the variance",
                rangemode="tozero",
                fixedrange=True,
                nticks=4,
                showgrid=True,
                gridcolor=colours.line,
            ),
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            bargap=0.25,
        ),
    )
