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
from explorer.views.heads.figure_parts import model_and_stack
from explorer.views.heads.heads import HeadsSettings

_ACROSS = 4  # grids a row
_CELL, _MIN_WIDTH = 13, 150  # pixels a head, and the least width of a grid
_HEADING, _SPACE = 58, 46  # pixels above each grid, and right of it
_TOP, _EDGE = 34, 40
_TICKS = 12
_NAMES = {
    "offset": ("Best offset", "tokens"),
    "offset_weight": ("Weight at it", "share"),
    "probe": ("Induction, random tokens", "share"),
}


def grids_of(record: HeadsTable) -> list[str]:
    """The columns with a grid: all but the means over shuffled tokens, which z includes."""
    return [name for name in record.columns if not name.endswith("_null")]


def table_size(record: HeadsTable) -> tuple[int, int]:
    """The width and height of the grids together, in pixels."""
    names = grids_of(record)
    across = min(_ACROSS, len(names))
    width, height = _grid_size(record)
    rows = -(-len(names) // across)
    return _EDGE + across * (width + _SPACE), _TOP + rows * (height + _HEADING)


def _grid_size(record: HeadsTable) -> tuple[int, int]:
    n_layers, n_heads = record.columns["entropy"].shape
    return max(_MIN_WIDTH, _CELL * n_heads), _CELL * n_layers


def table_figure(record: HeadsTable, link: str = "", theme: str = "light", palette: str = SEQUENTIAL) -> go.Figure:
    """Every column as a grid on its own colour scale, with its minimum and maximum in its heading.

    Signed columns (z, the best offset) have a diverging scale around 0. ``link`` names the column of the
    two linked tokens.

    Raises:
        ValueError: an unknown theme or palette.
    """
    colours, names = theme_of(theme), grids_of(record)
    name = f"{literal(model_and_stack(record))} · heads by measure"
    figure = go.Figure(layout=base_layout(colours, title=title(name)))
    width, height = table_size(record)
    for number, column in enumerate(names):
        values = record.columns[column]
        place = "" if number == 0 else str(number + 1)
        figure.add_trace(_cells(values, column, palette, colours, place))
        figure.update_layout(_axes(record, number, (width, height), colours, place))
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
    # The caption sets the bottom margin.
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, title_automargin=False)
    return figure


def table_caption(record: HeadsTable) -> str:
    """The caption of the figure."""
    parts = [
        f"The heads of {model_label(record.source.model)} ({STACKS[record.stack]}): layers down, heads "
        "across. Each grid has its own scale, with its ends above it. Blank: undefined."
    ]
    if record.draws:
        parts.append(f"z: standard deviations from the mean of {record.draws} random orders of the tokens.")
    if "offset" in record.columns:
        parts.append("Best offset: the fixed distance that gathers most of a head’s weight.")
    return " ".join([*parts, of_text(record.source.text or "", record.source.pair), *cut(record.source.truncation)])


def _heading(column: str, values: FloatArray, link: str) -> str:
    """A grid's name and the ends of its scale."""
    name, unit = _name_and_unit(column, link)
    if np.isnan(values).all():
        return f"{literal(name)}<br>undefined"
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    ends = (f"{round(end, 3):g}".replace("-", "−") for end in (low, high))
    return f"{literal(name)}<br>{' to '.join(ends)} {unit if unit != 'share' else ''}".strip()


def _name_and_unit(column: str, link: str) -> tuple[str, str]:
    measure = column.removesuffix("_z")
    if measure in MEASURES:
        one = MEASURES[measure]
        return (one.title, one.unit) if measure == column else (f"z: {one.title}", "")
    return _NAMES.get(column, (link, "share"))


def _cells(values: FloatArray, column: str, palette: str, colours: Theme, place: str) -> go.Heatmap:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
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


def _axes(record: HeadsTable, number: int, size: tuple[int, int], colours: Theme, place: str) -> dict[str, Any]:
    """The axes of a grid, with its place in fractions of the figure."""
    n_layers, n_heads = record.columns["entropy"].shape
    width, height = _grid_size(record)
    row, column = divmod(number, _ACROSS)
    left = (_EDGE + column * (width + _SPACE)) / size[0]
    top = 1 - (_TOP + row * (height + _HEADING) + _HEADING - 10) / size[1]
    small = {"tickfont": {"size": 9, "color": colours.faint}, "automargin": False, "title": None}
    across, down = (list(range(0, count, -(-count // _TICKS))) for count in (n_heads, n_layers))
    x_range, y_range = [-0.5, n_heads - 0.5], [n_layers - 0.5, -0.5]
    x_domain, y_domain = [left, left + width / size[0]], [top - height / size[1], top]
    x = axis(colours, "", domain=x_domain, anchor=f"y{place}", side="top", tickvals=across, range=x_range)
    y = axis(colours, "", domain=y_domain, anchor=f"x{place}", tickvals=down, range=y_range)
    return {f"xaxis{place}": x | small, f"yaxis{place}": y | small}


def _measures(record: HeadsTable, settings: HeadsSettings, style: FigureStyle) -> SizedFigure:
    figure = table_figure(record, record.link, style.theme, style.palette or settings.palette)
    return SizedFigure(figure, table_caption(record), *table_size(record))


FIGURES = {"measures": _measures}
