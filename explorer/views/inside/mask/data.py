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
    experiment. ``late`` has a cosine for each model and layer, of the token with and without its
    right context; if it is empty, ``right_context_error`` has the reason.
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
    """One row per query and key, with its weight under both masks; 0 where a mask forbids the key."""
    own, other = record.own, record.other
    rows = [
        (query, key, float(own.weights[i, j]), float(other.weights[i, j]))
        for i, query in enumerate(own.queries)
        for j, key in enumerate(own.keys)
    ]
    return Table.of(["query", "key", "own mask", "other mask (thought experiment)"], rows)


def stem(record: Masks, _settings: MaskSettings) -> str:
    """A file name with model, layer and head."""
    return f"{model_stem(record.source.model)}-layer{record.own.layer}-head{record.own.head}-masks"


def other_model(record: Masks, _settings: MaskSettings) -> str:
    """The second model of the curves; empty where there are none."""
    curves, _ = record.curves_or_error()
    return curves[-1].source.model if curves else ""
