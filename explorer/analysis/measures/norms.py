"""Norm-based weights: attention weights scaled by the vectors they carry."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures.blocks import BLOCK_BYTES, row_blocks
from explorer.records import AttentionStack, CapturedText, FloatArray


def norm_weights(
    cap: CapturedText,
    layer: int,
    head: int | None = None,
    stack: str | None = None,
    rows: slice | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> FloatArray:
    """Norm of what each key adds to each query's output: ‖A[q,k]·(x_k W_V + b_V) W_O‖.

    For one head, or with ``head`` None for a layer's heads together: the norm of the heads' sum,
    whose vectors may cancel. In the residual stream's units, before the output bias, residual
    and norm. ``rows`` selects queries; at most ``block_bytes`` of the heads' weights are in
    memory at a time.

    Source: Kobayashi et al. 2020, "Attention is Not Only a Weight".

    Returns:
        Float32 [Q, K]; 0 where the mask forbids.

    Raises:
        ValueError: no such stack, layer or head.
        ModelError: the model was captured eagerly, so that values are not known.
    """
    source = cap.stack(stack)
    vectors = source.transformed_values(layer, head)
    if head is not None:
        lengths: FloatArray = np.linalg.norm(vectors, axis=1)
        return source.attention(layer, head, rows) * lengths
    return _of_sums(source, layer, vectors, rows or slice(None), block_bytes)


def _of_sums(stack: AttentionStack, layer: int, vectors: FloatArray, rows: slice, block_bytes: int) -> FloatArray:
    """‖Σ_h A[h,q,k]·vectors[h,k]‖ [Q, K], from the dot products of the heads' vectors.

    Its square is Σ_hg A[h,q,k] A[g,q,k] (vectors[h,k]·vectors[g,k]), so that the sums themselves,
    D numbers for each query and key, are never made. In float64, as the terms may cancel.
    """
    n_heads, n_keys, _ = vectors.shape
    first, end, _ = rows.indices(len(stack.query_tokens))
    of_keys = vectors.transpose(1, 0, 2).astype(np.float64)
    products = of_keys @ of_keys.transpose(0, 2, 1)
    result = np.empty((end - first, n_keys), dtype=np.float32)
    for block in row_blocks(end - first, 8 * n_heads * n_keys, block_bytes):
        weights = stack.attention(layer, rows=slice(first + block.start, first + block.stop))
        weights = np.ascontiguousarray(weights.transpose(2, 1, 0), dtype=np.float64)
        squares = np.einsum("kqh,kqh->qk", weights @ products, weights)
        result[block] = np.sqrt(np.maximum(squares, 0))
    return result
