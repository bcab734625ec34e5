"""The picture of all heads as data: their small maps, or a number each."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records import AllHeads
from explorer.records.table import Table
from explorer.views.heads.heatmap.compute import block_labels
from explorer.views.heads.overview import OverviewSettings
from explorer.views.heads.overview.compute import distinct_cells


def data(record: AllHeads, _settings: OverviewSettings | None = None) -> dict[str, Any]:
    """What the small maps show, or a number a head: ``values`` [L][H] with their name and unit.

    ``maps`` [L][H][q][k] is 0…1: the square root of a weight over the head's largest. A cell is
    a query and a key, of a text of more than 28 tokens the largest weight of a block of them:
    ``map_queries`` and ``map_keys`` are the first tokens of each row and column.
    """
    about = {
        "stack": record.stack,
        "causal": record.causal,
        "queries": list(record.queries),
        "keys": list(record.keys),
    }
    if record.numbers is not None:
        numbers = record.numbers
        return {**about, "name": numbers.name, "unit": numbers.unit, "values": numbers.values.tolist()}
    cells, queries, keys = distinct_cells(record.maps)
    return {
        **about,
        "scale": "square root of weight ÷ the head’s largest weight",
        "maps": cells.tolist(),
        "map_queries": queries.tolist(),
        "map_keys": keys.tolist(),
    }


def table(record: AllHeads, _settings: OverviewSettings | None = None) -> Table:
    """A row a head with its number, or a row a cell of a small map with its tokens."""
    if record.numbers is not None:
        values = record.numbers.values.tolist()
        rows = ([layer, head, value] for layer, of_layer in enumerate(values) for head, value in enumerate(of_layer))
        return Table.of(["layer", "head", record.numbers.name], rows)
    cells, queries, keys = distinct_cells(record.maps)
    query_names, key_names = block_labels(record.queries, queries.tolist()), block_labels(record.keys, keys.tolist())
    return Table.of(
        ["layer", "head", "query", "key", "square root of weight ÷ largest"],
        (
            [layer, head, query, key, value]
            for layer, heads in enumerate(cells.tolist())
            for head, small in enumerate(heads)
            for query, weights in zip(query_names, small, strict=True)
            for key, value in zip(key_names, weights, strict=True)
        ),
    )


def stem(record: AllHeads, _settings: OverviewSettings) -> str:
    """A file name with the stack and what is shown."""
    show = "maps" if record.numbers is None else record.show
    return f"{model_stem(record.source.model)}-{record.stack}-all-heads-{show}"
