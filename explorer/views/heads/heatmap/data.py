"""One head's map to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from explorer.figures.figure_style import SizedFigure
from explorer.figures.style import SEQUENTIAL
from explorer.records import HeadMap
from explorer.records.table import Table
from explorer.saving.formats import versions
from explorer.views.heads.heatmap.figure import SINK_MARKS, heatmap_caption, heatmap_figure


def heatmap_json(drawn: HeadMap, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One head's map with all that made it.

    Args:
        drawn: the map.
        settings: what else was chosen (device, dtype, target text, …), put beside the
            map's own switches.
    """
    return {
        "kind": "heatmap",
        **map_told(drawn),
        "settings": {**asdict(drawn.switches), "truncation": drawn.truncation or None, **(settings or {})},
        "versions": versions(),
    }


def map_told(drawn: HeadMap) -> dict[str, Any]:
    """One map: whose it is, its tokens and its weights."""
    return {
        "model": drawn.model,
        "revision": drawn.revision,
        "stack": drawn.stack,
        "layer": drawn.layer,
        "head": drawn.head,
        "text": drawn.text,
        "pair": drawn.pair,
        "queries": list(drawn.queries),
        "keys": list(drawn.keys),
        "causal": drawn.causal,
        "attention": drawn.weights.tolist(),
    }


def heatmap_table(drawn: HeadMap) -> Table:
    """A row a query, a column a key; cells the mask forbids are 0.

    The first column's head says what of a truncated text is here.
    """
    rows = zip(drawn.queries, drawn.weights.tolist(), strict=True)
    corner = f"query (truncated: {drawn.truncation})" if drawn.truncation else "query"
    return Table.of([corner, *drawn.keys], ([query, *weights] for query, weights in rows))


def heatmap_picture(drawn: HeadMap, log: bool = False, palette: str = SEQUENTIAL, theme: str = "light") -> SizedFigure:
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
