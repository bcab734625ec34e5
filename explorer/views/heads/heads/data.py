"""The table of heads as data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from explorer.analysis.measures import MEASURES
from explorer.figures.style import model_stem
from explorer.records import HeadsTable
from explorer.records.table import Table
from explorer.views.heads.heads import HeadsSettings
from explorer.views.heads.heads.compute import head_rows


def data(record: HeadsTable, settings: HeadsSettings | None = None) -> dict[str, Any]:
    """A row a head, and a description of the measures; undefined values are None."""
    link = None
    if record.link and settings is not None:
        link = {"query": int(settings.query), "key": int(settings.key), "name": record.link}
    return {
        "stack": record.stack,
        "heads": head_rows(record.columns),
        "measures": about_measures(record.columns),
        "link": link,
        "draws": record.draws,
        "seed": record.seed,
    }


def about_measures(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Title, formula, unit and source of the measures among the names."""
    included = set(names)
    return {
        name: {"title": measure.title, "formula": measure.formula, "unit": measure.unit, "source": measure.source}
        for name, measure in MEASURES.items()
        if name in included
    }


def table(record: HeadsTable, _settings: HeadsSettings | None = None) -> Table:
    """A row a head; a cell with an undefined measure is empty."""
    rows = head_rows(record.columns)
    return Table.of(rows[0], (list(row.values()) for row in rows))


def stem(record: HeadsTable, _settings: HeadsSettings) -> str:
    """A file name with the model and the stack."""
    return f"{model_stem(record.source.model)}-{record.stack}-heads"
