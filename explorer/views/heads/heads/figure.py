"""The table of heads as a figure: each column a small grid, layers down and heads across."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.measures import MEASURES
from explorer.figures.caption import cut, of_text
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import (
    DIVERGING,
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
from explorer.records import FloatArray, HeadsTable
from explorer.views.heads.heads import HeadsSettings

_ACROSS = 4  # grids a row
_CELL, _LEAST = 13, 150  # pixels a head, and the least width of a grid
_HEAD, _BETWEEN = 58, 46  # pixels above each grid, and right of it
_TOP, _EDGE = 34, 40
_TICKS = 12
_NAMES = {
    "offset": ("Best offset", "tokens"),
    "offset_weight": ("Weight at it", "share"),
    "probe": ("Induction, random tokens", "share"),
}


def grids_of(table: HeadsTable) -> list[str]:
    """The columns that are drawn: all but the means of the shuffled texts, which z tells."""
    return [name for name in table.columns if not name.endswith("_null")]


def table_size(table: HeadsTable) -> tuple[int, int]:
    """Width and height that the grids need, in pixels."""
    names = grids_of(table)
    across = min(_ACROSS, len(names))
    width, height = _grid_size(table)
    rows = -(-len(names) // across)
    return _EDGE + across * (width + _BETWEEN), _TOP + rows * (height + _HEAD)


def _grid_size(table: HeadsTable) -> tuple[int, int]:
    n_layers, n_heads = table.columns["entropy"].shape
    return max(_LEAST, _CELL * n_heads), _CELL * n_layers


def table_figure(table: HeadsTable, link: str = "", theme: str = "light", palette: str = SEQUENTIAL) -> go.Figure:
    """Every column as a grid of its own colours; its heading tells its least and its largest.

    What is above or below 0 (z, the best offset) has a diverging scale around 0.

    Args:
        table: the table.
        link: the two linked tokens, where there is a column of them.
        theme: "light" or "dark".
        palette: name of a sequential palette.

    Raises:
        ValueError: an unknown theme or palette.
    """
    colours, names = theme_of(theme), grids_of(table)
    stack = "" if table.stack in ("encoder", "decoder") else f" · {table.stack}"
    name = f"{literal(model_label(table.source.model))}{stack} · heads by measure"
    figure = go.Figure(layout=base_layout(colours, title=title(name)))
    width, height = table_size(table)
    for number, column in enumerate(names):
        values = table.columns[column]
        place = "" if number == 0 else str(number + 1)
        figure.add_trace(_cells(values, column, palette, colours, place))
        figure.update_layout(_axes(table, number, (width, height), colours, place))
        figure.add_annotation(
            text=_heading(column, values, link),
            xref=f"x{place} domain",
            yref=f"y{place} domain",
            x=0,
            y=1,
            xanchor="left",
            yanchor="bottom",
            yshift=16,
            showarrow=False,
            align="left",
            font={"size": 11},
        )
    # A caption below sets the margin that it needs.
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, title_automargin=False)
    return figure


def table_caption(table: HeadsTable) -> str:
    """What a reader could paste under the figure."""
    parts = [
        f"The heads of {model_label(table.source.model)} ({STACKS[table.stack]}): layers down, heads "
        "across, each grid on a scale of its own, whose ends are written above it. Blank: "
        "undefined."
    ]
    if table.draws:
        parts.append(f"z: standard deviations from the mean of {table.draws} random orders of the tokens.")
    if "offset" in table.columns:
        parts.append("Best offset: the fixed distance that gathers most of a head’s weight.")
    parts.append(of_text(table.source.text or "", table.source.pair))
    parts += cut(table.source.truncation)
    return " ".join(parts)


def _heading(column: str, values: FloatArray, link: str) -> str:
    """A grid's name and the ends of its scale."""
    name, unit = _named(column, link)
    if np.isnan(values).all():
        return f"{literal(name)}<br>undefined"
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    ends = (f"{round(end, 3):g}".replace("-", "−") for end in (low, high))
    return f"{literal(name)}<br>{' to '.join(ends)} {unit if unit != 'share' else ''}".strip()


def _named(column: str, link: str) -> tuple[str, str]:
    measure = column.removesuffix("_z")
    if measure in MEASURES:
        one = MEASURES[measure]
        return (one.title, one.unit) if measure == column else (f"z: {one.title}", "")
    return _NAMES.get(column, (link, "share"))


def _cells(values: FloatArray, column: str, palette: str, colours: Theme, place: str) -> go.Heatmap:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    scale: Any = scale_of(palette)
    if column.endswith("_z") or column == "offset":
        largest = max(-low, high) or 1.0
        low, high, scale = -largest, largest, DIVERGING[colours.name]
    return go.Heatmap(
        z=values,
        zmin=low,
        zmax=high if high > low else low + 1,
        colorscale=scale,
        showscale=False,
        hoverongaps=False,
        xaxis=f"x{place}",
        yaxis=f"y{place}",
        hovertemplate="layer %{y} · head %{x}<br>%{z:.4g}<extra></extra>",
    )


def _axes(table: HeadsTable, number: int, size: tuple[int, int], colours: Theme, place: str) -> dict[str, Any]:
    """Where a grid stands, in shares of the figure, and its layers and heads."""
    n_layers, n_heads = table.columns["entropy"].shape
    width, height = _grid_size(table)
    row, column = divmod(number, _ACROSS)
    left = (_EDGE + column * (width + _BETWEEN)) / size[0]
    top = 1 - (_TOP + row * (height + _HEAD) + _HEAD - 10) / size[1]
    small = {"tickfont": {"size": 9, "color": colours.faint}, "automargin": False, "title": None}
    across, down = (list(range(0, count, -(-count // _TICKS))) for count in (n_heads, n_layers))
    return {
        f"xaxis{place}": axis(
            colours,
            "",
            domain=[left, left + width / size[0]],
            anchor=f"y{place}",
            side="top",
            tickvals=across,
            range=[-0.5, n_heads - 0.5],
        )
        | small,
        f"yaxis{place}": axis(
            colours,
            "",
            domain=[top - height / size[1], top],
            anchor=f"x{place}",
            tickvals=down,
            range=[n_layers - 0.5, -0.5],
        )
        | small,
    }


def _measures(record: HeadsTable, settings: HeadsSettings, style: FigureStyle) -> SizedFigure:
    figure = table_figure(record, record.link, style.theme, style.palette or settings.palette)
    return SizedFigure(figure, table_caption(record), *table_size(record))


FIGURES = {"measures": _measures}
