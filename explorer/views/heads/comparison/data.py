"""Two heads' maps and their difference to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from explorer.figures.figure_style import SizedFigure
from explorer.figures.style import SEQUENTIAL
from explorer.records import HeadComparison, HeadMap
from explorer.saving.formats import versions
from explorer.views.heads.comparison.figure import comparison_caption, difference_figure, side_figures
from explorer.views.heads.heatmap.data import data
from explorer.views.heads.heatmap.figure import SINK_MARKS, heatmap_caption, map_size


def comparison_json(comparison: HeadComparison, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Both maps whole, and second minus first on the tokens of both.

    ``queries`` and ``keys`` are those of both sides in one order; ``query_places`` and
    ``key_places`` tell the row and column of each in the first and the second map, −1 where that
    side has none. ``difference`` is undefined where one side has no such cell or its mask
    forbids it, and missing where the texts have no word in common.

    Args:
        comparison: the two maps.
        settings: what else was chosen (device, dtype, target text, …).
    """
    first = comparison.first
    difference = comparison.difference
    return {
        "kind": "comparison",
        "model": first.source.model,
        "revision": first.source.revision,
        "stack": first.stack,
        "layer": first.layer,
        "head": first.head,
        "text": first.source.text,
        "pair": first.source.pair,
        "first": {**_side(first), "truncation": first.source.truncation or None},
        "second": {**_side(comparison.second), "truncation": comparison.second.source.truncation or None},
        "queries": list(comparison.queries),
        "keys": list(comparison.keys),
        "query_places": comparison.query_places.tolist(),
        "key_places": comparison.key_places.tolist(),
        "difference": None if difference is None else difference.tolist(),
        "remarks": list(comparison.remarks),
        "settings": {**asdict(first.switches), **(settings or {})},
        "versions": versions(),
    }


def difference_picture(comparison: HeadComparison, theme: str = "light") -> SizedFigure:
    """The difference with its caption, large enough for its labels.

    Raises:
        ValueError: an unknown theme, or texts that have no word in common.
    """
    figure = difference_figure(comparison, theme, thin=False)
    size = map_size(len(comparison.queries), len(comparison.keys))
    return SizedFigure(figure, comparison_caption(comparison), *size)


def side_picture(
    comparison: HeadComparison, place: int, log: bool = False, palette: str = SEQUENTIAL, theme: str = "light"
) -> SizedFigure:
    """One of the two maps, on the colour scale that both have, with its caption.

    Args:
        comparison: the two maps.
        place: 0 for the first, 1 for the second.
        log: a logarithmic colour scale.
        palette: name of a sequential palette.
        theme: "light" or "dark".
    """
    sides = comparison.first, comparison.second
    figure = side_figures(*sides, theme, log, palette, small=False)[place]
    drawn, other = sides[place], sides[1 - place]
    caption = heatmap_caption(drawn, log, palette, stepped=False)
    if not log:
        caption += f" One colour scale with layer {other.layer}, head {other.head}, the map it is compared with."
    marks = SINK_MARKS if drawn.sinks else 0
    return SizedFigure(figure, caption, *map_size(*drawn.weights.shape), marks)


def _side(record: HeadMap) -> dict[str, Any]:
    return {
        "model": record.source.model,
        "revision": record.source.revision,
        "text": record.source.text,
        "pair": record.source.pair,
        **data(record),
    }
