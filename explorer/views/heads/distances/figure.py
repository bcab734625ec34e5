"""Heads as points in a plane: heads that attend to the same tokens are near each other.

In the browser assets/heads-distances.js labels the heads that have room for it, and moves the ring.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import get_colorscale, sample_colorscale

from explorer.analysis.measures import MEASURES
from explorer.figures.caption import cut, of_text
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.head_names import name_heads
from explorer.figures.style import (
    SEQUENTIAL,
    STACKS,
    Theme,
    axis,
    base_layout,
    literal,
    model_label,
    scale_of,
    theme_of,
    title,
)
from explorer.records import FloatArray, HeadDistances
from explorer.views.heads.distances import LAYER, DistancesSettings
from explorer.views.heads.figure_parts import colour_bar, model_and_stack

_WIDTH, _HEIGHT, _AXIS = 720, 600, 46  # pixels, in a file; _AXIS is of the lower axis
_SIZE, _SMALL_SIZE, _MANY = 13, 9, 150  # pixels a point; small for more than _MANY heads
_LAYER_TICKS = 12


def distances_figure(
    record: HeadDistances,
    colour: str = LAYER,
    theme: str = "light",
    palette: str = SEQUENTIAL,
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """Heads as points coloured by "layer" or a measure's name, with a ring around the ``selected`` layer and head.

    Raises:
        ValueError: an unknown theme, palette or colour.
    """
    if colour != LAYER and colour not in record.measures:
        raise ValueError(f"unknown colour '{colour}': use layer or {', '.join(record.measures)}")
    colours = theme_of(theme)
    figure = go.Figure([_heads(record, colour, palette, colours), _ring(record, selected, colours)])
    frame = {"ticks": "outside", "ticklen": 3, "showline": True, "mirror": True}
    figure.update_layout(
        base_layout(
            colours,
            title=title(f"{literal(model_and_stack(record))} · heads by attention pattern"),
            xaxis=axis(colours, "first dimension (nats)", range=_range(record.points.points[:, 0]), **frame),
            yaxis=axis(
                colours,
                "second dimension (nats)",
                range=_range(record.points.points[:, 1]),
                scaleanchor="x",
                scaleratio=1,
                **frame,
            ),
            showlegend=False,
            hovermode="closest",
            meta={"heads": record.points.n_heads},
        )
    )
    return figure


def distances_caption(record: HeadDistances, colour: str = LAYER) -> str:
    """The caption of the figure: the distance, the method, and its fit."""
    stress = record.points.stress
    fit = "good" if stress < 0.1 else "fair" if stress < 0.2 else "poor"
    parts = [
        f"The {len(record.points.points)} heads of {model_label(record.source.model)} "
        f"({STACKS[record.stack]}), near each other if their attention to this text is alike. Distance: "
        "Jensen–Shannon divergence between their rows, nats, mean over "
        f"{record.n_tokens:,} queries (Clark et al. 2019). Metric multidimensional scaling (MDS) "
        f"in two dimensions, stress {stress:.2f} ({fit}; good under 0.1, poor over 0.2).",
        "Colour: layer." if colour == LAYER else f"Colour: {_measure(record, colour)}.",
    ]
    return " ".join([*parts, of_text(record.source.text or "", record.source.pair), *cut(record.source.truncation)])


def _range(values: FloatArray) -> list[float]:
    """The range of the values with room around them, so that it does not change when the ring moves."""
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 0.05
    return [low - room, high + room]


def _measure(record: HeadDistances, name: str) -> str:
    measure = MEASURES[name]
    if np.isnan(record.measures[name]).all():
        return f"none, as {measure.title.lower()} is undefined on this text"
    return f"{measure.title.lower()} ({measure.formula}; {measure.unit})"


def _heads(record: HeadDistances, colour: str, palette: str, colours: Theme) -> go.Scatter:
    points, n_heads = record.points.points, record.points.n_heads
    return go.Scatter(
        x=points[:, 0].tolist(),  # lists: the browser's script reads them
        y=points[:, 1].tolist(),
        mode="markers",
        textfont={"size": 10, "color": colours.faint},  # of the labels that the browser adds
        marker={
            "size": _size(record),
            "line": {"width": 1, "color": colours.faint},
            **_colouring(record, colour, palette, colours),
        },
        customdata=[divmod(index, n_heads) for index in range(len(points))],
        hovertext=[_hover(record, index) for index in range(len(points))],
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )


def _size(record: HeadDistances) -> int:
    return _SMALL_SIZE if len(record.points.points) > _MANY else _SIZE


def _ring(record: HeadDistances, selected: tuple[int, int] | None, colours: Theme) -> go.Scatter:
    """The ring around the chosen head; the browser moves it."""
    chosen = [] if selected is None else [selected[0] * record.points.n_heads + selected[1]]
    return go.Scatter(
        x=record.points.points[chosen, 0].tolist(),
        y=record.points.points[chosen, 1].tolist(),
        mode="markers",
        marker={"symbol": "circle-open", "size": _size(record) + 5, "color": colours.accent, "line": {"width": 2.5}},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _colouring(record: HeadDistances, colour: str, palette: str, colours: Theme) -> dict[str, Any]:
    """The colours of the points, and their colour bar."""
    n_layers = len(record.points.points) // record.points.n_heads
    if colour == LAYER:
        step = -(-n_layers // _LAYER_TICKS)
        return {
            "color": np.repeat(np.arange(n_layers), record.points.n_heads),
            "colorscale": _bands(palette, n_layers),
            "cmin": -0.5,
            "cmax": n_layers - 0.5,
            "colorbar": colour_bar(LAYER, colours) | {"tickvals": list(range(0, n_layers, step))},
        }
    values = record.measures[colour].ravel()
    if np.isnan(values).all():
        return {"color": colours.line}
    measure = MEASURES[colour]
    bar = colour_bar(f"{measure.title} ({measure.unit})", colours)
    return {"color": values, "colorscale": scale_of(palette), "colorbar": bar}


def _bands(palette: str, count: int) -> list[list[Any]]:
    """A palette in ``count`` bands of one colour each, for integers."""
    shades = sample_colorscale(get_colorscale(scale_of(palette)), np.linspace(0, 1, max(count, 2)))
    return [[edge / count, shade] for number, shade in enumerate(shades[:count]) for edge in (number, number + 1)]


def _hover(record: HeadDistances, index: int) -> str:
    """The head, a fact about it, and the head at the smallest distance before the projection."""
    n_heads = record.points.n_heads
    layer, head = divmod(index, n_heads)
    lines = [f"layer {layer} · head {head}", record.facts[layer][head]]
    if record.nearest[index] >= 0:
        near = divmod(int(record.nearest[index]), n_heads)
        lines.append(f"most like layer {near[0]} · head {near[1]} ({record.nearest_distance[index]:.3f} nats apart)")
    return "<br>".join(lines)


def _heads_in_file(record: HeadDistances, settings: DistancesSettings, style: FigureStyle) -> SizedFigure:
    """The heads as points with a caption; those with room around them are labelled."""
    figure = distances_figure(record, settings.colour, style.theme, style.palette or settings.palette)
    caption = distances_caption(record, settings.colour)
    return SizedFigure(name_heads(figure, _WIDTH, _HEIGHT), caption, _WIDTH, _HEIGHT, _AXIS)


FIGURES = {"heads": _heads_in_file}
