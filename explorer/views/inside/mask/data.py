"""The mask on and off, to files."""

from __future__ import annotations

from typing import Any

from explorer.figures.style import model_stem
from explorer.records.table import Table
from explorer.views.heads.heatmap.data import data as heatmap_data
from explorer.views.inside.mask import MaskSettings
from explorer.views.inside.mask.compute import Masks


def data(record: Masks, _settings: MaskSettings) -> dict[str, Any]:
    """Both maps and the token's curves.

    ``other_mask`` has the same scores under the mask that the model does not have: a thought
    experiment. ``late`` has a cosine for each model and layer, of the token with and without what
    comes after it; without them ``right_context_error`` says why.
    """
    curves, error = record.curves_or_error()
    return {
        **heatmap_data(record.own),
        "query": record.query,
        "query_label": record.own.queries[record.query],
        "other_mask": record.other.weights.tolist(),
        "late": [
            {"model": one.source.model, "label": one.label, "causal": one.causal, "layer": layer, "cosine": cosine}
            for one in curves
            for layer, cosine in enumerate(one.cosines.tolist())
        ],
        "right_context_error": error or None,
    }


def table(record: Masks, _settings: MaskSettings | None = None) -> Table:
    """A row a query and key, with its weight under both masks; what one forbids is 0."""
    own, other = record.own, record.other
    rows = (
        (query, key, here, there)
        for query, own_row, other_row in zip(own.queries, own.weights.tolist(), other.weights.tolist(), strict=True)
        for key, here, there in zip(own.keys, own_row, other_row, strict=True)
    )
    return Table.of(["query", "key", "own mask", "other mask (thought experiment)"], rows)


def stem(record: Masks, _settings: MaskSettings) -> str:
    """A file name that says which head they are of."""
    return f"{model_stem(record.source.model)}-layer{record.own.layer}-head{record.own.head}-masks"


def other_model(record: Masks, _settings: MaskSettings) -> str:
    """The second model of the curves; empty where there are none."""
    curves, _ = record.curves_or_error()
    return curves[-1].source.model if curves else ""
