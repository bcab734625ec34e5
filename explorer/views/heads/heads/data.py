"""The table of heads to files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from explorer.analysis.measures import MEASURES
from explorer.figures.figure_style import SizedFigure
from explorer.figures.style import SEQUENTIAL
from explorer.records import HeadsTable
from explorer.records.table import Table
from explorer.saving.formats import to_json, versions
from explorer.views.heads.heads.compute import head_rows
from explorer.views.heads.heads.figure import table_caption, table_figure, table_size


def heads_json(table: HeadsTable, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A row a head with all that made it; what is undefined is None.

    Args:
        table: the table.
        settings: what else was chosen (device, dtype, target text, …), put beside the
            nulls' draws and seed.
    """
    return {
        "kind": "heads",
        "model": table.model,
        "revision": table.revision,
        "stack": table.stack,
        "text": table.text,
        "pair": table.pair,
        "heads": head_rows(table.columns),
        "measures": about_measures(table.columns),
        "settings": {
            "draws": table.draws,
            "seed": table.seed,
            "truncation": table.truncation or None,
            **(settings or {}),
        },
        "versions": versions(),
    }


def about_measures(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Title, formula, unit and source of each measure that is named."""
    there = set(names)
    return {
        name: {"title": measure.title, "formula": measure.formula, "unit": measure.unit, "source": measure.source}
        for name, measure in MEASURES.items()
        if name in there
    }


def heads_picture(table: HeadsTable, link: str = "", palette: str = SEQUENTIAL, theme: str = "light") -> SizedFigure:
    """Every column as a small grid of layers and heads, with a caption.

    Args:
        table: the table.
        link: the two linked tokens, where there is a column of them.
        palette: name of a sequential palette.
        theme: "light" or "dark".

    Raises:
        ValueError: an unknown theme or palette.
    """
    width, height = table_size(table)
    figure = table_figure(table, link, theme, palette)
    return SizedFigure(figure, table_caption(table), width, height)


def measures_table(table: HeadsTable) -> Table:
    """A row a head; a cell where a measure is undefined is empty.

    Of a truncated text a last, empty column is headed by what was left out.
    """
    rows = head_rows(table.columns)
    made = Table.of(rows[0], (list(row.values()) for row in rows))
    return made.cut(table.truncation)


def heads_parquet(result: Mapping[str, Any]) -> bytes:
    """A row a head of what ``heads_json`` gives, null where a measure is undefined.

    All that is told beside the rows is JSON under the key ``explorer`` of the schema's metadata.
    """
    import pyarrow as pa  # large, and only needed here
    from pyarrow import parquet

    rows = result["heads"]
    told = {name: value for name, value in result.items() if name != "heads"}
    types = {name: pa.float64() for name in rows[0]} | {"layer": pa.int64(), "head": pa.int64()}
    schema = pa.schema(types, metadata={"explorer": to_json(told)})
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), file)
    return file.getvalue()
