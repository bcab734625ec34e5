"""The large map of one head: queries down, keys across."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import cut, on_switches, whose
from explorer.figures.figure_style import FigureStyle, SizedFigure
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
    width_of,
)
from explorer.records import HeadMap, Window
from explorer.views.heads.figure_parts import colour_bar, model_and_stack
from explorer.views.heads.page import MapSettings

# Pixels: the mean width of a character, and the room for titles and the colour bar.
_CHARACTER, _TITLE, _AXIS_TITLE, _COLOUR_BAR = 6.6, 26, 34, 92
_TILT, _UPRIGHT = 60, 4  # degrees by which the labels of more columns than these are tilted
# _margins computes the labels' room, so that plotly does not measure each of them.
_FIXED_LABELS = {"automargin": False, "ticklabeloverflow": "allow"}
SINK_MARKS = 24  # pixels for the names of sinks below a map
_LABEL_LENGTH = 18
_MOST_TICKS = 40
_NAME_WIDTH = 0.18  # the most that a sink's name takes of the map's width
_NUMBERED = 16  # the most cells a side with room for their numbers
_GAPS = 40  # the most rows with room for a line between them
_EXACT_CELLS = 256 * 256
_WHERE = "query  %{y}<br>key     %{x}<br>weight "
_STEPS, _LOG_STEPS = 250, 60  # colours of a larger map; fewer of them compress better
_DECADES = 4  # of the log scale, below a weight of 1 or the largest norm; lower weights share a colour


def heatmap_figure(
    head_map: HeadMap, theme: str = "light", log: bool = False, palette: str = SEQUENTIAL, stepped: bool = True
) -> go.Figure:
    """A head's weights as a heatmap with token labels.

    Hovering shows query, key and weight. Cells that the mask forbids are not data: they are
    hatched. The colour scale runs from 0 to the map's largest weight, or over four decades
    with ``log``. Small maps have their numbers written in. A ``stepped`` map of more than 256 × 256
    cells rounds its weights to 250 steps (60 with ``log``), which compress well, for a page that
    fetches the exact weights when it is zoomed.

    Raises:
        ValueError: an unknown theme or palette.
    """
    colours = theme_of(theme)
    exact = not stepped or is_exact(head_map)
    cells = _cells(head_map, log, palette, colours, exact)
    return go.Figure([_hatching(head_map, colours), cells], _layout(head_map, log, colours))


def is_exact(head_map: HeadMap) -> bool:
    """Whether even a stepped figure of this map has the exact weight of each cell."""
    pooled = head_map.window and (head_map.window.per_query > 1 or head_map.window.per_key > 1)
    return head_map.weights.size <= _EXACT_CELLS and not pooled


def heatmap_caption(head_map: HeadMap, log: bool = False, palette: str = SEQUENTIAL, stepped: bool = True) -> str:
    """The caption of the figure, with the options that are on."""
    parts = [
        f"{STACKS[head_map.stack].capitalize()} of {model_label(head_map.source.model)}, {whose(head_map)} "
        "(counted from 0): each row shows where one query puts its weight."
    ]
    if head_map.causal:
        parts.append("Hatched: later tokens, which the causal mask forbids.")
    elif not head_map.allowed.all():
        parts.append("Hatched: cells the mask forbids.")
    parts += on_switches(head_map.switches)
    if head_map.sinks:
        sinks = ", ".join(f"{sink.label} gets {sink.share:.0%}" for sink in head_map.sinks)
        parts.append(f"Attention sinks, marked ▲: {sinks}.")
    if log:
        parts.append("Logarithmic colour scale.")
    if palette != SEQUENTIAL:
        parts.append(f"Colours: {palette}.")
    parts += cut(head_map.source.truncation)
    parts += _on_the_window(head_map)
    if stepped and not is_exact(head_map):
        parts.append(f"Colours in {_LOG_STEPS if log else _STEPS} steps.")
    return " ".join(parts)


def _on_the_window(head_map: HeadMap) -> list[str]:
    """Sentences of the caption of a map that is a part, or coarse."""
    parts = []
    if window := head_map.window:
        rows = window.query + head_map.weights.shape[0] * window.per_query
        columns = window.key + head_map.weights.shape[1] * window.per_key
        last = min(rows, window.whole[0]) - 1, min(columns, window.whole[1]) - 1
        if (window.query, window.key, *last) != (0, 0, window.whole[0] - 1, window.whole[1] - 1):
            parts.append(
                f"Part of the map: queries {window.query}–{last[0]} and keys "
                f"{window.key}–{last[1]} of {window.whole[0]} × {window.whole[1]}."
            )
        if window.per_query > 1 or window.per_key > 1:
            parts.append(f"Each cell shows the largest weight of {window.per_query} × {window.per_key} tokens.")
    return parts


def _cells(head_map: HeadMap, log: bool, palette: str, colours: Theme, exact: bool) -> go.Heatmap:
    weights = np.where(head_map.allowed, head_map.weights, np.nan).astype(np.float32)
    window = _window(head_map)
    gap = int(len(weights) <= _GAPS)
    return go.Heatmap(
        # The second pair of axes has every label, invisible, for hover. The first thins them.
        xaxis="x2",
        yaxis="y2",
        x0=window.key + (window.per_key - 1) / 2,
        dx=window.per_key,
        y0=window.query + (window.per_query - 1) / 2,
        dy=window.per_query,
        colorscale=scale_of(palette),
        hoverongaps=False,
        xgap=gap,
        ygap=gap,
        **(_log_colours if log else _linear_colours)(head_map, weights, colours, exact),
    )


def _window(head_map: HeadMap) -> Window:
    """The part of the map, or all of it."""
    return head_map.window or Window(0, 0, 1, 1, head_map.weights.shape)


def _linear_colours(head_map: HeadMap, weights: np.ndarray, colours: Theme, exact: bool) -> dict[str, Any]:
    """Colours from 0 to the largest weight, and the hover text."""
    largest = float(np.nanmax(weights, initial=0.0)) or 1.0
    steps = np.round(weights / largest * _STEPS) * np.float32(largest / _STEPS)
    value = "%{z:.4f}" if exact else "about %{z:.3f}; zoom in for the number"
    return {
        "z": weights if exact else steps.astype(np.float32),
        "zmin": 0,
        "zmax": largest,
        "colorbar": _bar(head_map, colours),
        "hovertemplate": f"{_WHERE}{value}<extra></extra>",
        **_numbers(weights, "%{z:.2f}"),
    }


def _log_colours(head_map: HeadMap, weights: np.ndarray, colours: Theme, exact: bool) -> dict[str, Any]:
    """Colours by order of magnitude, and the hover text."""
    largest = float(np.nanmax(weights, initial=0.0)) or 1.0
    top = float(np.log10(largest)) if head_map.switches.norm else 0.0
    floor = top - _DECADES
    ticks = top - np.arange(_DECADES, -1, -1)
    bar = _bar(head_map, colours) | {
        "tickvals": ticks,
        "ticktext": [f"{'≤ ' if tick == floor else ''}{10**tick:.3g}" for tick in ticks],
    }
    decades = np.log10(np.maximum(weights, 10**floor))
    common = {"zmin": floor, "zmax": top, "colorbar": bar}
    if exact:
        return common | {
            "z": decades,
            "customdata": weights,
            "hovertemplate": f"{_WHERE}%{{customdata:.3g}}<extra></extra>",
            **_numbers(weights, "%{customdata:.2f}"),
        }
    step = _DECADES / _LOG_STEPS
    return common | {
        "z": (floor + np.round((decades - floor) / step) * step).astype(np.float32),
        "hovertemplate": f"{_WHERE}about 10^%{{z:.1f}}; zoom in for the number<extra></extra>",
    }


def _bar(head_map: HeadMap, colours: Theme) -> dict[str, Any]:
    name = f"{'norm-based' if head_map.switches.norm else 'attention'} weight"
    return colour_bar(name, colours) | {"thickness": 12, "x": 1, "xpad": 14}


def _numbers(weights: np.ndarray, template: str) -> dict[str, Any]:
    """Numbers in the cells, where they fit."""
    if max(weights.shape) > _NUMBERED:
        return {}
    return {"texttemplate": template, "textfont": {"size": 10}}


def _hatching(head_map: HeadMap, colours: Theme) -> go.Scatter:
    """One hatched outline around the forbidden cells of each row.

    It is on the axes with the visible labels, which plotly draws only if a trace is on them.
    """
    xs: list[float | None] = [None]
    ys: list[float | None] = [None]
    window = _window(head_map)
    for row, cells in enumerate(~head_map.allowed):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(np.int8), [0]])))
        top = window.query + row * window.per_query - 0.5
        bottom = top + window.per_query
        for left, right in window.key + edges.reshape(-1, 2) * window.per_key - 0.5:
            xs += [left, right, right, left, left, None]
            ys += [top, top, bottom, bottom, top, None]
    return go.Scatter(
        x=xs,
        y=ys,
        mode="none",
        fill="toself",
        hoverinfo="skip",
        showlegend=False,
        fillpattern={
            "shape": "/",
            "size": 6,
            "solidity": 0.15,
            "fgcolor": colours.hatch,
            "bgcolor": colours.paper,
            "fillmode": "replace",
        },
    )


def _layout(head_map: HeadMap, log: bool, colours: Theme) -> dict[str, Any]:
    window = _window(head_map)
    n_queries, n_keys = head_map.weights.shape
    rows = window.query + (np.arange(n_queries) + 0.5) * window.per_query - 0.5
    columns = window.key + (np.arange(n_keys) + 0.5) * window.per_key - 0.5
    down, across = _ticks(n_queries), _ticks(n_keys)
    left, right = window.key - 0.5, window.key + n_keys * window.per_key - 0.5
    top, bottom = window.query - 0.5, window.query + n_queries * window.per_query - 0.5
    x = axis(
        colours,
        "key (attended to)",
        range=[left, right],
        tickvals=columns[across],
        side="top",
        ticktext=[_short(head_map.keys[i]) for i in across],
        ticks="outside",
        ticklen=3,
        tickangle=-_TILT if n_keys > _UPRIGHT else 0,
        **_FIXED_LABELS,
    )
    y = axis(
        colours,
        "query (attends)",
        range=[bottom, top],
        tickvals=rows[down],
        ticktext=[_short(head_map.queries[i]) for i in down],
        ticks="outside",
        ticklen=3,
        **_FIXED_LABELS,
    )
    hidden = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    keys = _hover_labels(head_map.keys, head_map.key_notes)
    queries = _hover_labels(head_map.queries, head_map.query_notes)
    heads = whose(head_map) if head_map.switches.heads else whose(head_map).replace(", ", " · ", 1)
    return base_layout(
        colours,
        xaxis=x,
        yaxis=y,
        xaxis2={"overlaying": "x", "matches": "x", "anchor": "y2", "tickvals": columns, "ticktext": keys, **hidden},
        yaxis2={"overlaying": "y", "matches": "y", "anchor": "x2", "tickvals": rows, "ticktext": queries, **hidden},
        title=title(f"{literal(model_and_stack(head_map))} · {heads}") | {"automargin": False},
        annotations=_sink_marks(head_map, (left, right), colours),
        # The page's zoom reads the part, the whole and whether it is exact; its tokens read whether
        # the cells are logarithms.
        meta={"part": [top, bottom, left, right], "whole": window.whole, "exact": is_exact(head_map), "log": log},
        margin=_margins(head_map, n_keys > _UPRIGHT, down, across),
    )


def _margins(head_map: HeadMap, tilted: bool, down: list[int], across: list[int]) -> dict[str, Any]:
    """Room for the labels; plotly would draw them twice to measure it."""
    rows = max(width_of(_short(head_map.queries[i])) for i in down) * _CHARACTER
    columns = max(width_of(_short(head_map.keys[i])) for i in across) * _CHARACTER
    height = columns * np.sin(np.radians(_TILT)) + _CHARACTER if tilted else 2 * _CHARACTER
    return {
        "l": round(_AXIS_TITLE + rows),
        "t": round(_TITLE + _AXIS_TITLE + height),
        "r": _COLOUR_BAR,
        "b": SINK_MARKS if head_map.sinks else 8,
        "autoexpand": False,
    }


def _sink_marks(head_map: HeadMap, view: tuple[float, float], colours: Theme) -> list[dict[str, Any]]:
    """A mark under the column of each sink in view, named if the name has room."""
    width, named, marks = view[1] - view[0], list[int](), list[dict[str, Any]]()
    for sink in head_map.sinks:
        if not view[0] < sink.key < view[1]:
            continue
        name = f"▲ {_short(sink.label)} {sink.share:.0%}"
        has_room = all(abs(sink.key - other) > _NAME_WIDTH * width for other in named)
        if has_room:
            named.append(sink.key)
        place = (sink.key - view[0]) / width
        # Near an edge the name runs inwards.
        inwards = "left" if place < _NAME_WIDTH else "right" if place > 1 - _NAME_WIDTH else ""
        marks.append(
            {
                "x": sink.key,
                "xref": "x",
                "y": 0,
                "yref": "y domain",
                "yanchor": "top",
                "yshift": -2,
                "text": name if has_room else "▲",
                "hovertext": name,
                "showarrow": False,
                "xanchor": (has_room and inwards) or "center",
                "xshift": {"left": -6, "right": 6}.get(inwards if has_room else "", 0),
                "font": {"size": 11, "color": colours.accent},
            }
        )
    return marks


def _ticks(count: int) -> list[int]:
    """The indices of the labels on an axis: all of few, every k-th of many."""
    return list(range(0, count, -(-count // _MOST_TICKS)))


def _short(label: str) -> str:
    """A label cut to a readable length, and escaped, as plotly reads markup."""
    return literal(label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…")


def _hover_labels(labels: tuple[str, ...], notes: tuple[str, ...]) -> list[str]:
    return [literal(f"{label}  ({note})" if note else label) for label, note in zip(labels, notes, strict=True)]


def sized_heatmap(
    head_map: HeadMap, log: bool = False, palette: str = SEQUENTIAL, theme: str = "light"
) -> SizedFigure:
    """The map with exact weights and its caption, large enough for its labels."""
    return SizedFigure(
        heatmap_figure(head_map, theme, log, palette, stepped=False),
        heatmap_caption(head_map, log, palette, stepped=False),
        *map_size(*head_map.weights.shape),
        SINK_MARKS if head_map.sinks else 0,
    )


def map_size(n_queries: int, n_keys: int) -> tuple[int, int]:
    """The width and height of a map of so many tokens, in pixels."""
    width, height = (min(1600, max(400, 26 * count)) for count in (n_keys, n_queries))
    return width + 200, height + 100


def _map(record: HeadMap, settings: MapSettings, style: FigureStyle) -> SizedFigure:
    return sized_heatmap(record, settings.log, style.palette or settings.palette, style.theme)


FIGURES = {"map": _map}
