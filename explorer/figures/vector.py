"""A heatmap's cells as outlines, for files that are to stay sharp at any size.

Plotly puts the cells of a heatmap into a drawing as a picture of dots. Here they become filled
outlines, one trace for each of 64 colours; its numbers in cells become text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

MOST_CELLS = 128 * 128
_COLOURS = 64
_ROOM, _SIZE = 0.7, 600  # of a figure what its cells take; pixels, where it has no size
_OVERLAP = 0.4  # pixels: outlines that only touch leave white hairs between them


def raster_parts(figure: go.Figure) -> list[str]:
    """What stays a picture of dots in a drawing of this figure, in words; text never does."""
    parts = []
    maps = [trace for trace in figure.data if trace.type == "heatmap" and not _is_vector(trace)]
    if any(_shown(trace) for trace in maps):
        parts.append(f"a map of more than {MOST_CELLS:,} cells")
    if figure.layout.images:
        parts.append("the small maps")
    if any(trace.type == "scatter3d" for trace in figure.data):
        parts.append("the space of three axes")
    return parts


def vectorised(figure: go.Figure) -> go.Figure:
    """The same figure with the cells of its heatmaps as outlines, where they are not too many."""
    traces: list[Any] = []
    for trace in figure.data:
        if trace.type != "heatmap" or not _is_vector(trace):
            traces.append(trace)
        elif _shown(trace):
            traces += _outlines(trace, figure.layout)
    return go.Figure(traces, figure.layout)


def _is_vector(trace: go.Heatmap) -> bool:
    return trace.z is not None and np.size(trace.z) <= MOST_CELLS


def _shown(trace: go.Heatmap) -> bool:
    """Whether its cells are seen: some maps are there for hovering only."""
    colours = [str(colour).replace(" ", "") for _, colour in trace.colorscale or ()]
    return not colours or not all(colour.startswith("rgba(0,0,0,0") for colour in colours)


def _outlines(trace: go.Heatmap, layout: go.Layout) -> Iterator[Any]:
    values = np.asarray(trace.z, dtype=float)
    on = {"xaxis": trace.xaxis, "yaxis": trace.yaxis}
    axis = layout[trace.coloraxis] if trace.coloraxis else trace
    low, high = (axis.cmin, axis.cmax) if trace.coloraxis else (trace.zmin, trace.zmax)
    known = values[np.isfinite(values)]
    least, most = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    low, high = least if low is None else low, most if high is None else high
    columns, rows = (
        _edges(trace, name, count, size)
        for name, count, size in (("x", values.shape[1], layout.width), ("y", values.shape[0], layout.height))
    )
    share = np.clip((values - low) / ((high - low) or 1), 0, 1)
    steps = np.where(np.isnan(values), -1, np.round(share * (_COLOURS - 1)))
    for step in np.unique(steps[steps >= 0]).astype(int):
        colour = _colour(axis.colorscale, step / (_COLOURS - 1))
        x, y = _boxes(np.argwhere(steps == step), columns, rows)
        yield go.Scatter(
            x=x,
            y=y,
            mode="lines",
            fill="toself",
            fillcolor=colour,
            hoverinfo="skip",
            line={"color": colour, "width": 0 if trace.xgap else _OVERLAP},
            showlegend=False,
            **on,
        )
    if trace.texttemplate:
        yield _numbers(trace, values, columns, rows, on, axis.colorscale, share)
    if not trace.coloraxis and trace.showscale is not False:
        yield _scale_alone(trace, low, high, on)
    elif trace.coloraxis:
        yield go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            showlegend=False,
            hoverinfo="skip",
            marker={"color": [low], "coloraxis": trace.coloraxis},
            **on,
        )


def _edges(trace: go.Heatmap, axis: str, count: int, size: float | None) -> np.ndarray:
    """The borders of columns or rows [count, 2], less half of the gap between them."""
    places = trace[axis]
    if places is None:
        first, step = trace[f"{axis}0"], trace[f"d{axis}"]
        places = (0 if first is None else first) + np.arange(count) * (1 if step is None else step)
    elif not np.issubdtype(np.asarray(places).dtype, np.number):
        places = np.arange(count)  # categories are numbered as they come
    places = np.asarray(places, dtype=float)
    if len(places) == count + 1:  # plotly takes these for the borders themselves
        return np.stack([places[:-1], places[1:]], axis=1)
    middle = (places[1:] + places[:-1]) / 2
    half = (places[1] - places[0]) / 2 if count > 1 else 0.5
    borders = np.concatenate([[places[0] - half], middle, [places[-1] + half]])
    edges = np.stack([borders[:-1], borders[1:]], axis=1)
    # As wide as plotly's, in the room that most of the figure gives its cells.
    cell = _ROOM * (size or _SIZE) / count
    gap = (trace[f"{axis}gap"] or 0) / 2 / cell * (edges[:, 1] - edges[:, 0])
    return edges + np.stack([gap * np.ones(count), -gap * np.ones(count)], axis=1)


def _boxes(cells: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> tuple[list[float | None], list[float | None]]:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for row, column in cells:
        (left, right), (top, bottom) = columns[column].tolist(), rows[row].tolist()
        xs += [left, right, right, left, left, None]
        ys += [top, top, bottom, bottom, top, None]
    return xs, ys


def _numbers(
    trace: go.Heatmap,
    values: np.ndarray,
    columns: np.ndarray,
    rows: np.ndarray,
    on: dict[str, Any],
    scale: Any,
    share: np.ndarray,
) -> go.Scatter:
    """What is written in the cells, dark on light and light on dark."""
    places = np.argwhere(~np.isnan(values))
    custom = trace.customdata if trace.customdata is not None else values
    told = {"z": values, "customdata": np.asarray(custom), "text": np.asarray(trace.text)}
    return go.Scatter(
        x=columns.mean(axis=1)[places[:, 1]],
        y=rows.mean(axis=1)[places[:, 0]],
        mode="text",
        text=[_written(trace.texttemplate, told, tuple(place)) for place in places],
        textfont={"size": trace.textfont.size or 10, "color": [_ink(scale, share[tuple(place)]) for place in places]},
        hoverinfo="skip",
        showlegend=False,
        **on,
    )


_TEMPLATE = re.compile(r"%\{(?P<name>\w+)(?::(?P<form>[^}]*))?\}")


def _written(template: str, told: dict[str, np.ndarray], place: tuple[int, ...]) -> str:
    """A cell's text by plotly's template, whose number formats are Python's here."""

    def value(found: re.Match[str]) -> str:
        cell = told[found["name"]][place]
        return format(float(cell), found["form"]) if found["form"] else str(cell)

    return _TEMPLATE.sub(value, template)


def _ink(scale: Any, share: float) -> str:
    """Black or white, whichever is read better on a colour of the scale."""
    red, green, blue = (part / 255 for part in unlabel_rgb(_colour(scale, share)))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def _colour(scale: Any, share: float) -> str:
    steps = get_colorscale("Viridis") if scale is None else [list(step) for step in scale]
    return str(sample_colorscale(steps, [float(share)], colortype="rgb")[0])


def _scale_alone(trace: go.Heatmap, low: float, high: float, on: dict[str, Any]) -> go.Scatter:
    """The colour bar of a map whose cells are outlines now."""
    marker = {
        "color": [low],
        "cmin": low,
        "cmax": high,
        "colorscale": trace.colorscale,
        "showscale": True,
        "colorbar": trace.colorbar.to_plotly_json(),
    }
    return go.Scatter(x=[None], y=[None], mode="markers", marker=marker, hoverinfo="skip", showlegend=False, **on)
