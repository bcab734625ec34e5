"""The map of heads to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.figures.figure_style import SizedFigure
from explorer.figures.head_names import name_heads
from explorer.figures.style import SEQUENTIAL
from explorer.records import HeadDistances
from explorer.saving.formats import versions
from explorer.views.heads.distances.compute import distances_table
from explorer.views.heads.distances.figure import LAYER, distances_caption, distances_figure
from explorer.views.heads.heads.data import about_measures

_WIDTH, _HEIGHT = 720, 600
_AXIS = 46  # pixels that the lower axis takes


def distances_json(drawn: HeadDistances, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A row a head with all that made it: its point, its nearest, every measure.

    Args:
        drawn: the heads.
        settings: what else was chosen (device, dtype, target text, …).
    """
    table = distances_table(drawn)
    columns = [name for name in table.header if not name.startswith("truncated: ")]
    return {
        "kind": "distances",
        "model": drawn.model,
        "revision": drawn.revision,
        "stack": drawn.stack,
        "text": drawn.text,
        "pair": drawn.pair,
        "heads": [dict(zip(columns, row, strict=False)) for row in table.rows],
        "stress": drawn.points.stress,
        "n_tokens": drawn.n_tokens,
        "measures": about_measures(drawn.measures),
        "settings": {"truncation": drawn.truncation or None, **(settings or {})},
        "versions": versions(),
    }


def distances_picture(
    drawn: HeadDistances, colour: str = LAYER, palette: str = SEQUENTIAL, theme: str = "light"
) -> SizedFigure:
    """The heads as points with a caption; those with room around them are named.

    Raises:
        ValueError: a colour, palette or theme that there is not.
    """
    figure = name_heads(distances_figure(drawn, colour, theme, palette), _WIDTH, _HEIGHT)
    return SizedFigure(figure, distances_caption(drawn, colour), _WIDTH, _HEIGHT, _AXIS)
