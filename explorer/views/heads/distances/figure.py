"""Heads as points in a plane: near each other where they look at the same tokens.

In the browser assets/heads-distances.js names the heads that have room for it, and moves the ring.
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

_WIDTH, _HEIGHT, _AXIS = 720, 600, 46  # pixels, in a file; the last of the lower axis
_SIZE, _SMALL_SIZE, _MANY = 13, 9, 150  # pixels a point, and of how many heads they are small
_LAYER_TICKS = 12


def distances_figure(
    drawn: HeadDistances,
    colour: str = LAYER,
    theme: str = "light",
    palette: str = SEQUENTIAL,
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """Heads as points, the chosen one ringed.

    Args:
        drawn: the heads, from ``views.distances``.
        colour: what they are coloured by: "layer" or a measure's name.
        theme: "light" or "dark".
        palette: name of a sequential palette.
        selected: layer and head of the ring.

    Raises:
        ValueError: an unknown theme or palette, or a colour that is neither.
    """
    if colour != LAYER and colour not in drawn.measures:
        raise ValueError(f"unknown colour '{colour}': use layer or {', '.join(drawn.measures)}")
    colours = theme_of(theme)
    figure = go.Figure([_heads(drawn, colour, palette, colours), _ring(drawn, selected, colours)])
    stack = "" if drawn.stack in ("encoder", "decoder") else f"{drawn.stack} · "
    name = f"{literal(model_label(drawn.source.model))} · {stack}heads by where they look"
    frame = {"ticks": "outside", "ticklen": 3, "showline": True, "mirror": True}
    figure.update_layout(
        base_layout(
            colours,
            title=title(name),
            xaxis=axis(colours, "first dimension (nats)", range=_range(drawn.points.points[:, 0]), **frame),
            yaxis=axis(
                colours,
                "second dimension (nats)",
                range=_range(drawn.points.points[:, 1]),
                scaleanchor="x",
                scaleratio=1,
                **frame,
            ),
            showlegend=False,
            hovermode="closest",
            meta={"heads": drawn.points.n_heads},
        )
    )
    return figure


def distances_caption(drawn: HeadDistances, colour: str = LAYER) -> str:
    """What a reader could paste under the figure: the distance, the method, and its fit."""
    stress = drawn.points.stress
    fit = "good" if stress < 0.1 else "fair" if stress < 0.2 else "poor"
    parts = [
        f"The {len(drawn.points.points)} heads of {model_label(drawn.source.model)} "
        f"({STACKS[drawn.stack]}), near each other where they look alike at this text. Distance: "
        "Jensen–Shannon divergence between their rows, nats, mean over "
        f"{drawn.n_tokens:,} queries (Clark et al. 2019). Metric multidimensional scaling (MDS) "
        f"in two dimensions, stress {stress:.2f} ({fit}; good under 0.1, poor over 0.2).",
        "Colour: layer." if colour == LAYER else f"Colour: {_measure(drawn, colour)}.",
    ]
    parts.append(of_text(drawn.source.text or "", drawn.source.pair))
    parts += cut(drawn.source.truncation)
    return " ".join(parts)


def _range(values: FloatArray) -> list[float]:
    """All values with room around them, so that the picture stands still when the ring moves."""
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 0.05
    return [low - room, high + room]


def _measure(drawn: HeadDistances, name: str) -> str:
    measure = MEASURES[name]
    if np.isnan(drawn.measures[name]).all():
        return f"none, as {measure.title.lower()} is undefined on this text"
    return f"{measure.title.lower()} ({measure.formula}; {measure.unit})"


def _heads(drawn: HeadDistances, colour: str, palette: str, colours: Theme) -> go.Scatter:
    points, n_heads = drawn.points.points, drawn.points.n_heads
    places = [divmod(place, n_heads) for place in range(len(points))]
    return go.Scatter(
        x=points[:, 0].tolist(),  # lists: the browser's script reads them
        y=points[:, 1].tolist(),
        mode="markers",
        textfont={"size": 10, "color": colours.faint},  # of the names the browser adds
        marker={
            "size": _size(drawn),
            "line": {"width": 1, "color": colours.faint},
            **_colouring(drawn, colour, palette, colours),
        },
        customdata=places,
        hovertext=[_hover(drawn, place) for place in range(len(points))],
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )


def _size(drawn: HeadDistances) -> int:
    return _SMALL_SIZE if len(drawn.points.points) > _MANY else _SIZE


def _ring(drawn: HeadDistances, selected: tuple[int, int] | None, colours: Theme) -> go.Scatter:
    """The ring around the chosen head; the browser moves it."""
    chosen = [] if selected is None else [selected[0] * drawn.points.n_heads + selected[1]]
    return go.Scatter(
        x=drawn.points.points[chosen, 0].tolist(),
        y=drawn.points.points[chosen, 1].tolist(),
        mode="markers",
        marker={"symbol": "circle-open", "size": _size(drawn) + 5, "color": colours.accent, "line": {"width": 2.5}},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _colouring(drawn: HeadDistances, colour: str, palette: str, colours: Theme) -> dict[str, Any]:
    """Colours of the points and the bar that explains them."""
    bar: dict[str, Any] = {"thickness": 10, "outlinewidth": 0, "tickfont": {"size": 11, "color": colours.faint}}
    n_layers = len(drawn.points.points) // drawn.points.n_heads
    if colour == LAYER:
        step = -(-n_layers // _LAYER_TICKS)
        bar |= _bar_title(LAYER, colours) | {"tickvals": list(range(0, n_layers, step))}
        return {
            "color": np.repeat(np.arange(n_layers), drawn.points.n_heads),
            "colorscale": _bands(palette, n_layers),
            "cmin": -0.5,
            "cmax": n_layers - 0.5,
            "colorbar": bar,
        }
    values = drawn.measures[colour].ravel()
    if np.isnan(values).all():
        return {"color": colours.line}
    measure = MEASURES[colour]
    bar |= _bar_title(f"{measure.title} ({measure.unit})", colours)
    return {"color": values, "colorscale": scale_of(palette), "colorbar": bar}


def _bar_title(name: str, colours: Theme) -> dict[str, Any]:
    return {"title": {"text": name, "side": "right", "font": {"color": colours.faint}}}


def _bands(palette: str, count: int) -> list[list[Any]]:
    """A palette in so many steps of one colour each, for what is counted."""
    shades = sample_colorscale(get_colorscale(scale_of(palette)), np.linspace(0, 1, max(count, 2)))
    return [[edge / count, shade] for number, shade in enumerate(shades[:count]) for edge in (number, number + 1)]


def _hover(drawn: HeadDistances, place: int) -> str:
    """Which head it is, what it does, and the head that is nearest in truth."""
    n_heads = drawn.points.n_heads
    layer, head = divmod(place, n_heads)
    lines = [f"layer {layer} · head {head}", drawn.facts[layer][head]]
    if drawn.nearest[place] >= 0:
        near = divmod(int(drawn.nearest[place]), n_heads)
        gap = drawn.nearest_distance[place]
        lines.append(f"most like layer {near[0]} · head {near[1]} ({gap:.3f} nats apart)")
    return "<br>".join(lines)


def _heads_in_file(record: HeadDistances, settings: DistancesSettings, style: FigureStyle) -> SizedFigure:
    """The heads as points with a caption; those with room around them are named."""
    figure = distances_figure(record, settings.colour, style.theme, style.palette or settings.palette)
    caption = distances_caption(record, settings.colour)
    return SizedFigure(name_heads(figure, _WIDTH, _HEIGHT), caption, _WIDTH, _HEIGHT, _AXIS)


FIGURES = {"heads": _heads_in_file}
