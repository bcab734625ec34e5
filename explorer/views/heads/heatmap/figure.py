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
from explorer.views.heads.page import MapSettings

# Pixels: a character's mean width; what titles and the colour bar take beside the map.
_CHARACTER, _TITLE, _AXIS_TITLE, _COLOUR_BAR = 6.6, 26, 34, 92
_TILT, _UPRIGHT = 60, 4  # degrees of the labels above more columns than these
# The labels' room is reckoned here, so that plotly need not measure each of them.
_RECKONED = {"automargin": False, "ticklabeloverflow": "allow"}
SINK_MARKS = 24  # pixels that the names of sinks take below a map
_LABEL_LENGTH = 18
_MOST_TICKS = 40
_NAME_WIDTH = 0.18  # of the map's width, what a sink's name may take
_NUMBERED = 16  # cells a side that still leave room for their numbers
_GAPS = 40  # rows that still leave room for a line between them
_EXACT_CELLS = 256 * 256
_WHERE = "query  %{y}<br>key     %{x}<br>weight "
_STEPS, _LOG_STEPS = 250, 60  # colours of a larger map; fewer of them compress better
_DECADES = 4  # on the log scale, below a weight of 1 or the largest norm: the rest is one colour


def heatmap_figure(
    drawn: HeadMap, theme: str = "light", log: bool = False, palette: str = SEQUENTIAL, stepped: bool = True
) -> go.Figure:
    """A head's weights as a heatmap with token labels.

    Hovering tells query, key and weight. Cells that the mask forbids are no data: they are
    hatched. The colour scale runs from 0 to the map's largest weight, or over four decades
    with ``log``. Small maps have their numbers written in. A map of more than 256 × 256 cells is
    drawn in 250 steps (60 with ``log``), which compress well: for a page that fetches the numbers
    of what is zoomed into. One that is not ``stepped`` holds every number.

    Raises:
        ValueError: an unknown theme or palette.
    """
    colours = theme_of(theme)
    shown = np.where(drawn.allowed, drawn.weights, np.nan).astype(np.float32)
    figure = go.Figure()
    figure.add_trace(_hatching(drawn, colours))
    exact = not stepped or is_exact(drawn)
    figure.add_trace(_cells(drawn, shown, log, palette, colours, exact))
    figure.update_layout(_layout(drawn, log, colours))
    return figure


def is_exact(drawn: HeadMap) -> bool:
    """Whether even a stepped figure of this map holds each cell's own weight."""
    pooled = drawn.window and (drawn.window.per_query > 1 or drawn.window.per_key > 1)
    return drawn.weights.size <= _EXACT_CELLS and not pooled


def heatmap_caption(drawn: HeadMap, log: bool = False, palette: str = SEQUENTIAL, stepped: bool = True) -> str:
    """What a reader could paste under the figure, switches included."""
    parts = [
        f"{STACKS[drawn.stack].capitalize()} of {model_label(drawn.source.model)}, {whose(drawn)} "
        "(counted from 0): each row shows where one query puts its weight."
    ]
    if drawn.causal:
        parts.append("Hatched: later tokens, which the causal mask forbids.")
    elif not drawn.allowed.all():
        parts.append("Hatched: cells the mask forbids.")
    parts += on_switches(drawn.switches)
    if drawn.sinks:
        parts.append(f"The head rests on sinks, marked ▲: {_sinks_in_words(drawn)}.")
    if log:
        parts.append("Logarithmic colour scale.")
    if palette != SEQUENTIAL:
        parts.append(f"Colours: {palette}.")
    parts += cut(drawn.source.truncation)
    parts += _on_the_window(drawn)
    if stepped and not is_exact(drawn):
        parts.append(f"Colours in {_LOG_STEPS if log else _STEPS} steps.")
    return " ".join(parts)


def _on_the_window(drawn: HeadMap) -> list[str]:
    """What a caption must say of a map that is a part, or coarse."""
    parts = []
    if window := drawn.window:
        rows = window.query + drawn.weights.shape[0] * window.per_query
        columns = window.key + drawn.weights.shape[1] * window.per_key
        last = min(rows, window.whole[0]) - 1, min(columns, window.whole[1]) - 1
        if (window.query, window.key, *last) != (0, 0, window.whole[0] - 1, window.whole[1] - 1):
            parts.append(
                f"Part of the map: queries {window.query}–{last[0]} and keys "
                f"{window.key}–{last[1]} of {window.whole[0]} × {window.whole[1]}."
            )
        if window.per_query > 1 or window.per_key > 1:
            parts.append(f"Each cell shows the largest weight of {window.per_query} × {window.per_key} tokens.")
    return parts


def _cells(drawn: HeadMap, shown: np.ndarray, log: bool, palette: str, colours: Theme, exact: bool) -> go.Heatmap:
    window = drawn.window or Window(0, 0, 1, 1, shown.shape)
    few = len(shown) <= _GAPS
    return go.Heatmap(
        # The second pair of axes has every label, unseen: hover reads them. The first thins them.
        xaxis="x2",
        yaxis="y2",
        x0=window.key + (window.per_key - 1) / 2,
        dx=window.per_key,
        y0=window.query + (window.per_query - 1) / 2,
        dy=window.per_query,
        colorscale=scale_of(palette),
        hoverongaps=False,
        xgap=int(few),
        ygap=int(few),
        **(_log_colours if log else _linear_colours)(drawn, shown, colours, exact),
    )


def _linear_colours(drawn: HeadMap, shown: np.ndarray, colours: Theme, exact: bool) -> dict[str, Any]:
    """Colours from 0 to the largest weight, and what hovering tells."""
    largest = float(np.nanmax(shown, initial=0.0)) or 1.0
    steps = np.round(shown / largest * _STEPS) * np.float32(largest / _STEPS)
    value = "%{z:.4f}" if exact else "about %{z:.3f}; zoom in for the number"
    return {
        "z": shown if exact else steps.astype(np.float32),
        "zmin": 0,
        "zmax": largest,
        "colorbar": _bar(drawn, colours),
        "hovertemplate": f"{_WHERE}{value}<extra></extra>",
        **_numbers(shown, "%{z:.2f}"),
    }


def _log_colours(drawn: HeadMap, shown: np.ndarray, colours: Theme, exact: bool) -> dict[str, Any]:
    """Colours by order of magnitude, and what hovering tells."""
    largest = float(np.nanmax(shown, initial=0.0)) or 1.0
    top = float(np.log10(largest)) if drawn.switches.norm else 0.0
    floor = top - _DECADES
    ticks = top - np.arange(_DECADES, -1, -1)
    bar = _bar(drawn, colours) | {
        "tickvals": ticks,
        "ticktext": [f"{'≤ ' if tick == floor else ''}{10**tick:.3g}" for tick in ticks],
    }
    decades = np.log10(np.maximum(shown, 10**floor))
    common = {"zmin": floor, "zmax": top, "colorbar": bar}
    if exact:
        return common | {
            "z": decades,
            "customdata": shown,
            "hovertemplate": f"{_WHERE}%{{customdata:.3g}}<extra></extra>",
            **_numbers(shown, "%{customdata:.2f}"),
        }
    step = _DECADES / _LOG_STEPS
    return common | {
        "z": (floor + np.round((decades - floor) / step) * step).astype(np.float32),
        "hovertemplate": f"{_WHERE}about 10^%{{z:.1f}}; zoom in for the number<extra></extra>",
    }


def _bar(drawn: HeadMap, colours: Theme) -> dict[str, Any]:
    name = f"{'norm-based' if drawn.switches.norm else 'attention'} weight"
    return {
        "thickness": 12,
        "outlinewidth": 0,
        "x": 1,
        "xpad": 14,
        "tickfont": {"size": 11, "color": colours.faint},
        "title": {"text": name, "side": "right", "font": {"color": colours.faint}},
    }


def _numbers(shown: np.ndarray, template: str) -> dict[str, Any]:
    """Numbers in the cells, where they fit."""
    if max(shown.shape) > _NUMBERED:
        return {}
    return {"texttemplate": template, "textfont": {"size": 10}}


def _hatching(drawn: HeadMap, colours: Theme) -> go.Scatter:
    """One filled outline around the forbidden cells of each row, hatched.

    It lies on the axes with the visible labels, which are drawn only if a trace does.
    """
    xs: list[float | None] = [None]
    ys: list[float | None] = [None]
    window = drawn.window or Window(0, 0, 1, 1, drawn.weights.shape)
    for row, cells in enumerate(~drawn.allowed):
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


def _layout(drawn: HeadMap, log: bool, colours: Theme) -> dict[str, Any]:
    window = drawn.window or Window(0, 0, 1, 1, drawn.weights.shape)
    n_queries, n_keys = drawn.weights.shape
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
        ticktext=[_short(drawn.keys[i]) for i in across],
        ticks="outside",
        ticklen=3,
        tickangle=-_TILT if n_keys > _UPRIGHT else 0,
        **_RECKONED,
    )
    y = axis(
        colours,
        "query (attends)",
        range=[bottom, top],
        tickvals=rows[down],
        ticktext=[_short(drawn.queries[i]) for i in down],
        ticks="outside",
        ticklen=3,
        **_RECKONED,
    )
    unseen = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False}
    keys = _hover_labels(drawn.keys, drawn.key_notes)
    queries = _hover_labels(drawn.queries, drawn.query_notes)
    return base_layout(
        colours,
        xaxis=x,
        yaxis=y,
        xaxis2={"overlaying": "x", "matches": "x", "anchor": "y2", "tickvals": columns, "ticktext": keys, **unseen},
        yaxis2={"overlaying": "y", "matches": "y", "anchor": "x2", "tickvals": rows, "ticktext": queries, **unseen},
        title=title(_title(drawn)) | {"automargin": False},
        annotations=_sink_marks(drawn, (left, right), colours),
        # For the page's zoom: the part that is here, of how much, how coarse. For its tokens:
        # whether the cells are logarithms.
        meta={"part": [top, bottom, left, right], "whole": window.whole, "exact": is_exact(drawn), "log": log},
        margin=_margins(drawn, n_keys > _UPRIGHT, down, across),
    )


def _title(drawn: HeadMap) -> str:
    stack = "" if drawn.stack in ("encoder", "decoder") else f"{drawn.stack} · "
    which = whose(drawn).replace(", ", " · ", 1) if not drawn.switches.heads else whose(drawn)
    return f"{literal(model_label(drawn.source.model))} · {stack}{which}"


def _margins(drawn: HeadMap, tilted: bool, down: list[int], across: list[int]) -> dict[str, Any]:
    """Room for the labels, reckoned here: plotly would draw them twice to find out."""
    rows = max(width_of(_short(drawn.queries[i])) for i in down) * _CHARACTER
    columns = max(width_of(_short(drawn.keys[i])) for i in across) * _CHARACTER
    height = columns * np.sin(np.radians(_TILT)) + _CHARACTER if tilted else 2 * _CHARACTER
    return {
        "l": round(_AXIS_TITLE + rows),
        "t": round(_TITLE + _AXIS_TITLE + height),
        "r": _COLOUR_BAR,
        "b": SINK_MARKS if drawn.sinks else 8,
        "autoexpand": False,
    }


def _sink_marks(drawn: HeadMap, seen: tuple[float, float], colours: Theme) -> list[dict[str, Any]]:
    """A mark under the column of each sink in view, named where the names have room."""
    width, named, marks = seen[1] - seen[0], list[int](), list[dict[str, Any]]()
    for sink in drawn.sinks:
        if not seen[0] < sink.key < seen[1]:
            continue
        name = f"▲ {_short(sink.label)} {sink.share:.0%}"
        alone = all(abs(sink.key - other) > _NAME_WIDTH * width for other in named)
        if alone:
            named.append(sink.key)
        place = (sink.key - seen[0]) / width
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
                "text": name if alone else "▲",
                "hovertext": name,
                "showarrow": False,
                "xanchor": (alone and inwards) or "center",
                "xshift": {"left": -6, "right": 6}.get(inwards if alone else "", 0),
                "font": {"size": 11, "color": colours.accent},
            }
        )
    return marks


def _sinks_in_words(drawn: HeadMap) -> str:
    return ", ".join(f"{sink.label} gets {sink.share:.0%}" for sink in drawn.sinks)


def _ticks(count: int) -> list[int]:
    """Which labels are drawn: all of few, every k-th of many."""
    return list(range(0, count, -(-count // _MOST_TICKS)))


def _short(label: str) -> str:
    """A label cut to a readable length; plotly reads markup, so it is escaped."""
    cut = label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…"
    return literal(cut)


def _hover_labels(labels: tuple[str, ...], notes: tuple[str, ...]) -> list[str]:
    return [literal(f"{label}  ({note})" if note else label) for label, note in zip(labels, notes, strict=True)]


def sized_heatmap(drawn: HeadMap, log: bool = False, palette: str = SEQUENTIAL, theme: str = "light") -> SizedFigure:
    """The map with every number and its caption, large enough for its labels."""
    return SizedFigure(
        heatmap_figure(drawn, theme, log, palette, stepped=False),
        heatmap_caption(drawn, log, palette, stepped=False),
        *map_size(*drawn.weights.shape),
        SINK_MARKS if drawn.sinks else 0,
    )


def map_size(n_queries: int, n_keys: int) -> tuple[int, int]:
    """Width and height that a map of so many tokens needs, in pixels."""
    width, height = (min(1600, max(400, 26 * count)) for count in (n_keys, n_queries))
    return width + 200, height + 100


def _map(record: HeadMap, settings: MapSettings, style: FigureStyle) -> SizedFigure:
    return sized_heatmap(record, settings.log, style.palette or settings.palette, style.theme)


FIGURES = {"map": _map}
