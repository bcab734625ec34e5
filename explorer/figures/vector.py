"""Heatmap cells as vector outlines, for files that stay sharp at any size.

Plotly draws the cells of a heatmap as a raster image. Here they become filled outlines, one trace
for each of 64 colours, and the numbers in cells become text.
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
_ROOM, _SIZE = 0.7, 600  # share of a figure's size for its cells; pixels of a figure without a size
_OVERLAP = 0.4  # pixels, against white hairlines between outlines


def raster_parts(figure: go.Figure) -> list[str]:
    """The parts of a figure that stay raster images in a vector file, in words."""
    parts = []
    maps = [trace for trace in figure.data if trace.type == "heatmap" and not _is_vector(trace)]
    if any(_is_visible(trace) for trace in maps):
        parts.append(f"a map of more than {MOST_CELLS:,} cells")
    if figure.layout.images:
        parts.append("the small maps")
    if any(trace.type == "scatter3d" for trace in figure.data):
        parts.append("the space of three axes")
    return parts


def vectorised(figure: go.Figure) -> go.Figure:
    """The figure with the cells of its heatmaps as outlines, unless there are too many."""
    traces: list[Any] = []
    for trace in figure.data:
        if trace.type != "heatmap" or not _is_vector(trace):
            traces.append(trace)
        elif _is_visible(trace):
            traces += _outlines(trace, figure.layout)
    return go.Figure(traces, figure.layout)


def _is_vector(trace: go.Heatmap) -> bool:
    return trace.z is not None and np.size(trace.z) <= MOST_CELLS


def _is_visible(trace: go.Heatmap) -> bool:
    """Whether its cells are visible: some maps are for hovering only."""
    colours = [str(colour).replace(" ", "") for _, colour in trace.colorscale or ()]
    return not colours or not all(colour.startswith("rgba(0,0,0,0") for colour in colours)


def _outlines(trace: go.Heatmap, layout: go.Layout) -> Iterator[Any]:
    values = np.asarray(trace.z, dtype=float)
    common = {"xaxis": trace.xaxis, "yaxis": trace.yaxis, "hoverinfo": "skip", "showlegend": False}
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
            line={"color": colour, "width": 0 if trace.xgap else _OVERLAP},
            **common,
        )
    if trace.texttemplate:
        inks = [_ink(axis.colorscale, part) for part in share[~np.isnan(values)]]
        yield _numbers(trace, values, columns, rows, inks, common)
    if trace.coloraxis:
        marker = {"color": [low], "coloraxis": trace.coloraxis}
        yield go.Scatter(x=[None], y=[None], mode="markers", marker=marker, **common)
    elif trace.showscale is not False:
        marker = {
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": trace.colorscale,
            "showscale": True,
            "colorbar": trace.colorbar.to_plotly_json(),
        }
        yield go.Scatter(x=[None], y=[None], mode="markers", marker=marker, **common)


def _edges(trace: go.Heatmap, axis: str, count: int, size: float | None) -> np.ndarray:
    """The edges of columns or rows [count, 2], less half of the gap between them."""
    places = trace[axis]
    if places is None:
        first, step = trace[f"{axis}0"], trace[f"d{axis}"]
        places = (0 if first is None else first) + np.arange(count) * (1 if step is None else step)
    elif not np.issubdtype(np.asarray(places).dtype, np.number):
        places = np.arange(count)  # categories are numbered in order
    places = np.asarray(places, dtype=float)
    if len(places) == count + 1:  # plotly takes these for the edges
        return np.stack([places[:-1], places[1:]], axis=1)
    middle = (places[1:] + places[:-1]) / 2
    half = (places[1] - places[0]) / 2 if count > 1 else 0.5
    borders = np.concatenate([[places[0] - half], middle, [places[-1] + half]])
    edges = np.stack([borders[:-1], borders[1:]], axis=1)
    # As wide as plotly's, if the cells have their usual share of the figure.
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
    inks: list[str],
    common: dict[str, Any],
) -> go.Scatter:
    """The texts in the cells with numbers."""
    cells = np.argwhere(~np.isnan(values))
    custom = trace.customdata if trace.customdata is not None else values
    fields = {"z": values, "customdata": np.asarray(custom), "text": np.asarray(trace.text)}
    return go.Scatter(
        x=columns.mean(axis=1)[cells[:, 1]],
        y=rows.mean(axis=1)[cells[:, 0]],
        mode="text",
        text=[_cell_text(trace.texttemplate, fields, tuple(cell)) for cell in cells],
        textfont={"size": trace.textfont.size or 10, "color": inks},
        **common,
    )


_TEMPLATE = re.compile(r"%\{(?P<name>\w+)(?::(?P<form>[^}]*))?\}")


def _cell_text(template: str, fields: dict[str, np.ndarray], cell: tuple[int, ...]) -> str:
    """A cell's text by plotly's template, whose number formats are the same in Python here."""

    def value(found: re.Match[str]) -> str:
        number = fields[found["name"]][cell]
        return format(float(number), found["form"]) if found["form"] else str(number)

    return _TEMPLATE.sub(value, template)


def _ink(scale: Any, share: float) -> str:
    """Black or white, whichever is more legible on a colour of the scale."""
    red, green, blue = (part / 255 for part in unlabel_rgb(_colour(scale, share)))
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def _colour(scale: Any, share: float) -> str:
    steps = get_colorscale("Viridis") if scale is None else [list(step) for step in scale]
    return str(sample_colorscale(steps, [float(share)], colortype="rgb")[0])
