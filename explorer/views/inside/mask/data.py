"""The mask on and off, to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.records import HeadMap, RightContext
from explorer.records.table import Table
from explorer.saving.formats import versions


def mask_json(
    own: HeadMap,
    other: HeadMap,
    query: int,
    late: Sequence[RightContext],
    no_late: str = "",
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Both maps and the token's curves with all that made them.

    ``other_mask`` has the same scores under the mask that the model does not have: a thought
    experiment. ``late`` has a cosine for each model and layer, of the token with and without
    what comes after it.

    Args:
        own: the model's own map.
        other: the same under the other mask.
        query: the token that is told of.
        late: its curves.
        no_late: why there are none.
        settings: what else was chosen (revision, device, dtype, target text, …).
    """
    return {
        "kind": "mask",
        "model": own.source.model,
        "revision": own.source.revision,
        "stack": own.stack,
        "layer": own.layer,
        "head": own.head,
        "text": own.source.text,
        "pair": own.source.pair,
        "query": query,
        "query_label": own.queries[query],
        "queries": list(own.queries),
        "keys": list(own.keys),
        "causal": own.causal,
        "attention": own.weights.tolist(),
        "other_mask": other.weights.tolist(),
        "late": [
            {"model": one.model, "label": one.label, "causal": one.causal, "layer": layer, "cosine": cosine}
            for one in late
            for layer, cosine in enumerate(one.cosines.tolist())
        ],
        "settings": {"no_late": no_late or None, "truncation": own.source.truncation or None, **(settings or {})},
        "versions": versions(),
    }


def mask_table(own: HeadMap, other: HeadMap) -> Table:
    """A row a query and key, with its weight under both masks; what one forbids is 0."""
    corner = f"query (truncated: {own.source.truncation})" if own.source.truncation else "query"
    rows = (
        (query, key, here, there)
        for query, own_row, other_row in zip(own.queries, own.weights.tolist(), other.weights.tolist(), strict=True)
        for key, here, there in zip(own.keys, own_row, other_row, strict=True)
    )
    return Table.of([corner, "key", "own mask", "other mask (thought experiment)"], rows)
