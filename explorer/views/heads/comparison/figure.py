"""The difference of two maps on a diverging colour scale, and the two maps on a common one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import on_switches, whose
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import DIVERGING, SEQUENTIAL, Theme, model_label, theme_of, title
from explorer.records import FloatArray, HeadComparison, HeadMap, IntArray, Window
from explorer.views.heads.comparison import ComparisonSettings
from explorer.views.heads.comparison.compute import on_both_sides
from explorer.views.heads.heatmap.compute import MOST_CELLS, block_labels
from explorer.views.heads.heatmap.figure import SINK_MARKS, heatmap_caption, heatmap_figure, map_size
from explorer.views.spec import DrawFigure

SIDE_CELLS = 256  # a side, of the two small maps beside each other
_SIDE_LABELS, _DIFFERENCE_LABELS = 16, 24  # an axis
_EXACT_CELLS = 256 * 256
_STEPS = 125  # colours either side of 0 in a larger map


def side_figures(
    first: HeadMap,
    second: HeadMap,
    theme: str = "light",
    log: bool = False,
    palette: str = SEQUENTIAL,
    small: bool = True,
) -> tuple[go.Figure, go.Figure]:
    """Both maps as heatmaps with one colour scale.

    ``small`` maps, as beside each other on a page, have fewer labels and no numbers in them.
    """
    figures = tuple(heatmap_figure(side, theme, log, palette, stepped=small) for side in (first, second))
    if not log:
        largest = max(float(cells.zmax) for figure in figures for cells in _heatmaps(figure))
        for figure in figures:
            figure.update_traces(zmax=largest, selector={"type": "heatmap"})
    for figure in figures if small else ():
        _thin(figure, _SIDE_LABELS)
        for cells in _heatmaps(figure):
            cells.texttemplate = None  # no room for numbers
            # Zooming these fetches nothing.
            cells.hovertemplate = cells.hovertemplate.replace("; zoom in for the number", "")
    return figures[0], figures[1]


def _thin(figure: go.Figure, most: int) -> None:
    """Keep at most so many labels on each axis, for a figure smaller than a single map."""
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        every = -(-len(axis.tickvals) // most)
        axis.update(tickvals=axis.tickvals[::every], ticktext=axis.ticktext[::every])


def _heatmaps(figure: go.Figure) -> list[go.Heatmap]:
    return [trace for trace in figure.data if trace.type == "heatmap"]


def difference_figure(comparison: HeadComparison, theme: str = "light", thin: bool = True) -> go.Figure:
    """Second minus first as a heatmap around 0, on the tokens of both sides.

    Cells without a difference are hatched: in one direction if a mask forbids them,
    crosswise if only one side has their query or key. For more than 512 tokens each cell
    shows the difference of a block that is farthest from 0. ``thin`` leaves out labels for which
    a page has no room.

    Raises:
        ValueError: an unknown theme, or a comparison in which nothing could be aligned.
    """
    if comparison.difference is None:
        raise ValueError("the two texts have no word in common: there is no difference to draw")
    colours = theme_of(theme)
    rows, columns = (np.arange(0, length, -(-length // MOST_CELLS)) for length in comparison.difference.shape)
    values = _farthest_from_zero(comparison.difference, rows, columns)
    both = on_both_sides(comparison.query_places, comparison.key_places)
    both = np.logical_or.reduceat(np.logical_or.reduceat(both, rows, axis=0), columns, axis=1)
    frame = _empty_map(comparison, comparison.difference.shape, rows, columns)
    masked = heatmap_figure(replace(frame, allowed=~np.isnan(values) | ~both), theme)
    one_side = heatmap_figure(replace(frame, allowed=both), theme)
    figure = go.Figure(layout=masked.layout)
    for hatched, shape in ((masked, "/"), (one_side, "x")):
        figure.add_trace(hatched.data[0].update(fillpattern_shape=shape))
    figure.add_trace(_around_zero(masked.data[1], values, colours))
    figure.update_layout(title=title("second − first"))
    if thin:
        _thin(figure, _DIFFERENCE_LABELS)
    return figure


def _farthest_from_zero(values: FloatArray, rows: IntArray, columns: IntArray) -> FloatArray:
    """The value of each block that is farthest from 0; NaN for a block without values."""

    def pooled(extreme: np.ufunc, fill: float) -> FloatArray:
        filled = np.where(np.isnan(values), fill, values)
        return extreme.reduceat(extreme.reduceat(filled, rows, axis=0), columns, axis=1)

    high, low = pooled(np.maximum, -np.inf), pooled(np.minimum, np.inf)
    return np.where(np.isneginf(high), np.nan, np.where(high >= -low, high, low))


def _empty_map(comparison: HeadComparison, whole: tuple[int, int], rows: IntArray, columns: IntArray) -> HeadMap:
    """A map of zeros with the comparison's labels, for the axes and the hatching."""
    per_query, per_key = (-(-length // MOST_CELLS) for length in whole)
    return replace(
        comparison.first,
        queries=block_labels(comparison.queries, rows.tolist()),
        keys=block_labels(comparison.keys, columns.tolist()),
        query_notes=("",) * len(rows),
        key_notes=("",) * len(columns),
        weights=np.zeros((len(rows), len(columns))),
        window=Window(0, 0, per_query, per_key, whole),
    )


def _around_zero(cells: go.Heatmap, values: FloatArray, colours: Theme) -> go.Heatmap:
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    exact = values.size <= _EXACT_CELLS
    # Fewer different numbers compress better.
    z = values if exact else np.round(values / largest * _STEPS) * (largest / _STEPS)
    cells.update(
        z=z.astype(np.float32),
        zmin=-largest,
        zmax=largest,
        colorscale=DIVERGING[colours.name],
        hovertemplate="query  %{y}<br>key     %{x}<br>second − first "
        f"{'' if exact else 'about '}%{{z:+.{4 if exact else 3}f}}<extra></extra>",
    )
    if cells.texttemplate:
        cells.texttemplate = "%{z:+.2f}"
    cells.colorbar.title.text = "difference in weight"
    return cells


def comparison_caption(comparison: HeadComparison, log: bool = False) -> str:
    """The caption of the figures, with everything that was matched or left out."""
    first, second = comparison.first, comparison.second
    parts = [f"First: {_name(first)}. Second: {_name(second)}."]
    if (first.source.text, first.source.pair) != (second.source.text, second.source.pair):
        parts.append(f"Texts: {_quoted(first)}; {_quoted(second)}.")
    if comparison.difference is not None:
        parts.append(
            "The difference is the second’s attention weight minus the first’s on the tokens of "
            "both: above 0 where the second puts more weight."
        )
        both = on_both_sides(comparison.query_places, comparison.key_places)
        if np.isnan(comparison.difference[both]).any():
            parts.append("Hatched: a mask forbids the cell.")
        if not both.all():
            parts.append("Hatched crosswise: only one side has the query or key.")
        per_query, per_key = (-(-length // MOST_CELLS) for length in both.shape)
        if max(per_query, per_key) > 1:
            parts.append(
                f"Each cell shows the largest difference, either way, of a block of {per_query} × {per_key} tokens."
            )
    if max(first.weights.shape + second.weights.shape) > SIDE_CELLS:
        parts.append("The two maps show the largest weight of each block of tokens.")
    in_remarks = any("merged to words" in remark for remark in comparison.remarks)
    parts += on_switches(replace(first.switches, words=first.switches.words and not in_remarks))
    if log:
        parts.append("Logarithmic colour scale in the two maps, not in the difference.")
    return " ".join([*parts, *comparison.remarks])


def _name(side: HeadMap) -> str:
    stack = "" if side.stack in ("encoder", "decoder") else f"{side.stack} attention, "
    return f"{model_label(side.source.model)}, {stack}{whose(side)}"


def _quoted(side: HeadMap) -> str:
    texts = (side.source.text, *((side.source.pair,) if side.source.pair else ()))
    return " + ".join(f"“{text if len(text) <= 80 else text[:79] + '…'}”" for text in texts)


def _difference(record: HeadComparison, _settings: ComparisonSettings, style: FigureStyle) -> SizedFigure:
    figure = difference_figure(record, style.theme, thin=False)
    return SizedFigure(figure, comparison_caption(record), *map_size(len(record.queries), len(record.keys)))


def _side(index: int) -> DrawFigure:
    """One of the two maps, 0 or 1, on their common colour scale."""

    def draw(record: HeadComparison, settings: ComparisonSettings, style: FigureStyle) -> SizedFigure:
        sides, palette = (record.first, record.second), style.palette or settings.palette
        figure = side_figures(*sides, style.theme, settings.log, palette, small=False)[index]
        side, other = sides[index], sides[1 - index]
        caption = heatmap_caption(side, settings.log, palette, stepped=False)
        if not settings.log:
            caption += f" One colour scale with layer {other.layer}, head {other.head}, the map it is compared with."
        return SizedFigure(figure, caption, *map_size(*side.weights.shape), SINK_MARKS if side.sinks else 0)

    return draw


FIGURES = {"difference": _difference, "first": _side(0), "second": _side(1)}
