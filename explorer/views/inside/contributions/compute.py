"""What each head of a layer adds to a token, and how side by side and summed are the same."""

from __future__ import annotations

import numpy as np

from explorer.records import CapturedText, HeadOutputs
from explorer.records.table import Table
from explorer.views.heads.heatmap.compute import truncation


def head_outputs(cap: CapturedText, layer: int, query: int, stack: str | None = None) -> HeadOutputs:
    """Every head's output for one token.

    Concatenated and multiplied by W_O, the heads' mixed values give what the sum over heads of
    A·v·W_O[h] gives (Elhage et al. 2021): W_O cut by rows is a matrix a head.

    Raises:
        ValueError: layer, query or stack out of range.
        ModelError: captured eagerly, so that values are not known.
    """
    source = cap.stack(stack)
    source.score_parts(layer, 0, query)
    rows = slice(query, query + 1)
    weights = source.attention(layer, rows=rows)[:, 0].astype(np.float64)
    values = np.stack([source.v(layer, head) for head in range(source.n_heads)])
    mixed = np.einsum("hk,hkd->hd", weights, values.astype(np.float64))
    moved = source.transformed_values(layer).astype(np.float64)
    return HeadOutputs(
        model=cap.model_name,
        stack=source.name,
        layer=layer,
        query=query,
        query_label=source.query_tokens.labels[query],
        added=np.einsum("hk,hkd->hd", weights, moved),
        bias=source.output_bias(layer).astype(np.float64),
        mixed=mixed,
        output=source.projected(layer, mixed.reshape(1, -1).astype(np.float32))[0],
        truncation=truncation(source),
    )


def outputs_table(outputs: HeadOutputs) -> Table:
    """A row a head, the bias and the sum: its length, its cosine with the sum, its vector.

    Of a truncated text a last, empty column is headed by what was left out.
    """
    total = outputs.added.sum(axis=0) + outputs.bias
    rows: list[list[object]] = []
    named = [(f"head {i}", vector) for i, vector in enumerate(outputs.added)]
    for name, vector in [*named, ("bias", outputs.bias), ("sum", total)]:
        lengths = np.linalg.norm(vector), np.linalg.norm(total)
        cosine = float(vector @ total / (lengths[0] * lengths[1])) if all(lengths) else None
        rows.append([name, float(lengths[0]), cosine, *vector.tolist()])
    table = Table.of(["part", "length", "cosine", *range(len(total))], rows)
    return table.cut(outputs.truncation)
