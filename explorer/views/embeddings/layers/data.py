"""A word's measures by layer to files."""

from __future__ import annotations

from typing import Any

from explorer.analysis.measures.verdict import where_senses_separate
from explorer.figures.style import model_stem
from explorer.records.source import Source
from explorer.records.table import Table
from explorer.views.embeddings.layers.compute import LayerMeasures, layer_columns
from explorer.views.embeddings.page import WordSettings
from explorer.views.embeddings.study import sentences_of, source_of


def data(record: LayerMeasures, settings: WordSettings) -> dict[str, Any]:
    """Every measure with its null, a value a layer 0…L, NaN where undefined."""
    layers, test = record.layers, record.layers.test
    return {
        **sentences_of(record.study),
        "layer": settings.layer,
        "layers": list(range(len(record.study.contextual))),
        "occurrences": layers.occurrences,
        "measures": {name: values.tolist() for name, values in layer_columns(layers).items()},
        "assignments": None if test is None else test.assignments,
        "all_assignments": None if test is None else test.exact,
        "verdict": where_senses_separate(layers),
        "draws": layers.draws,
        "seed": layers.seed,
    }


def table(record: LayerMeasures, _settings: WordSettings | None = None) -> Table:
    """A row a layer, a column a measure; an empty cell where it is undefined."""
    columns = layer_columns(record.layers)
    rows = enumerate(zip(*(values.tolist() for values in columns.values()), strict=True))
    return Table.of(["layer", *columns], ([layer, *values] for layer, values in rows))


def stem(record: LayerMeasures, _settings: WordSettings) -> str:
    """A file name that says which word it is."""
    return f"{model_stem(record.study.model)}-{record.study.word}-by-layer"


def source(record: LayerMeasures) -> Source:
    """The model of the study."""
    return source_of(record.study)
