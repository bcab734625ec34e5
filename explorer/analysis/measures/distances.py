"""Which heads behave alike: distances between their attention, and heads as points in a plane."""

from __future__ import annotations

import numpy as np
from sklearn.manifold import MDS

from explorer.analysis.measures.blocks import BLOCK_BYTES, Progress, row_blocks
from explorer.records import CapturedText, FloatArray, HeadPoints

# Numbers in one pass over pairs of heads: few enough for the processor's cache.
_AT_ONCE = 2**16


def head_distance(
    cap: CapturedText, stack: str | None = None, progress: Progress | None = None, block_bytes: int = BLOCK_BYTES
) -> FloatArray:
    """Distances between all heads of a stack (None: the only one, or the first) on one text.

    The Jensen–Shannon divergence of two heads' rows, in nats (0 for equal heads, ln 2 = 0.69 for
    heads that never attend to the same token), mean over queries. Where a model has learned
    sinks, the sink's share of a row counts as one more key. Every pair of heads is compared in
    every row, which takes longer than all measures together. At most ``block_bytes`` of all
    heads' weights are in memory at a time; ``progress`` is called before each row.

    Source: Clark et al. 2019, "What Does BERT Look At?", section 6.

    Returns:
        Float64 [L·H, L·H], symmetric with a diagonal of 0; head h of layer l has index l·H + h.

    Raises:
        ValueError: the capture has no stack of that name.
    """
    source = cap.stack(stack)
    n_queries, n_keys = len(source.query_tokens), len(source.key_tokens)
    n_all = source.n_layers * source.n_heads
    total = np.zeros((n_all, n_all))
    for rows in row_blocks(n_queries, 4 * n_all * n_keys, block_bytes):
        weights = np.empty((source.n_layers, source.n_heads, rows.stop - rows.start, n_keys), dtype=np.float32)
        for layer in range(source.n_layers):
            weights[layer] = source.attention(layer, rows=rows)
        weights = weights.reshape(n_all, -1, n_keys)
        for place, query in enumerate(range(n_queries)[rows]):
            if progress is not None:
                progress("comparing heads", query / n_queries)
            total += _divergences(_seen(weights[:, place]))
    total = np.maximum(total, 0) / n_queries  # rounding may leave a little less than 0
    return total + total.T


def head_points(distances: FloatArray, n_heads: int, seed: int = 0) -> HeadPoints:
    """Heads as points in a plane whose distances approximate those of ``head_distance``.

    Metric multidimensional scaling (SMACOF from classical scaling; scikit-learn's ``MDS``), with
    ``seed`` for the solver; ``n_heads`` is heads per layer.

    Raises:
        ValueError: distances that are not square [L·H, L·H], or not of whole layers.
    """
    distances = np.asarray(distances, dtype=np.float64)
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1]:
        raise ValueError(f"distances are a square [L·H, L·H]; these have shape {distances.shape}")
    if n_heads < 1 or len(distances) % n_heads:
        raise ValueError(f"{len(distances)} heads are no whole layers of {n_heads}")
    if len(distances) < 3 or not distances.any():  # a plane holds two heads exactly
        points = np.zeros((len(distances), 2))
        points[1:, 0] = distances[0, 1:]
        return HeadPoints(points, 0.0, n_heads)
    solver = MDS(metric="precomputed", init="classical_mds", n_init=1, random_state=seed, normalized_stress=False)
    points = solver.fit_transform(distances)
    in_plane = np.linalg.norm(points[:, None] - points[None], axis=-1)
    stress = np.sqrt(((in_plane - distances) ** 2).sum() / (in_plane**2).sum())
    return HeadPoints(points, float(stress), n_heads)


def _seen(weights: FloatArray) -> FloatArray:
    """One query's rows [M, k] on the keys that any head sees, and on a learned sink if there is one."""
    # Fancy indexing would store the result by columns, but it is read by rows.
    seen = np.compress(weights.any(axis=0), weights, axis=1)
    rest = 1 - seen.sum(axis=1, keepdims=True)
    return np.hstack([seen, np.maximum(rest, 0)]) if rest.max(initial=0) > 1e-4 else seen


def _divergences(rows: FloatArray) -> FloatArray:
    """Jensen–Shannon divergence of every two rows [M, k], above the diagonal [M, M]."""
    n_rows, n_keys = rows.shape
    rows = np.maximum(rows, np.float32(1e-30))  # 0·ln 0 is 0, and so is this
    own = np.vecdot(rows, np.log(rows)) / 2
    halves = rows / 2
    result = np.zeros((n_rows, n_rows))
    size = max(1, _AT_ONCE // max(n_keys, 1))
    mixture, logarithms = np.empty((2, size, n_keys), dtype=rows.dtype)
    for first in range(n_rows - 1):
        for start in range(first + 1, n_rows, size):
            others = slice(start, min(start + size, n_rows))
            mixed, logs = mixture[: others.stop - start], logarithms[: others.stop - start]
            np.add(halves[others], halves[first], out=mixed)
            np.log(mixed, out=logs)
            result[first, others] = own[others] + own[first] - np.vecdot(mixed, logs)
    return result
