"""How well heads match a pattern of cells, or their best fixed offset."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from explorer.analysis.measures.blocks import BLOCK_BYTES, Progress, blocks
from explorer.records import BestOffsets, BoolArray, CapturedText, FloatArray

PATTERN_KINDS = ("mul", "abs")


def pattern_match(
    cap: CapturedText,
    pattern: npt.ArrayLike,
    kind: str = "mul",
    stack: str | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> FloatArray:
    """How much of each head's attention lies on a pattern of cells.

    ``mul`` is ΣA⊙D / ΣA, the share of all weight that lies on the pattern (0…1 for a
    pattern of zeros and ones). ``abs`` is 1 − Σ|A−D| / Q, which is TransformerLens'
    1 − n·mean|A−D| where queries and keys are the same n tokens: 1 for the pattern itself,
    −1 for attention that is all elsewhere. In masked cells the pattern counts as 0.

    Source: TransformerLens, ``head_detector`` (which rounds ``abs`` to three decimals).

    Args:
        cap: a captured text.
        pattern: D [Q, K], each cell in 0…1.
        kind: "mul" or "abs".
        stack: None means the only one, or the first.
        block_bytes: most bytes of one layer's weights in memory at a time.

    Returns:
        Float64 [L, H].

    Raises:
        ValueError: an unknown kind or stack, or a pattern of another shape or range.
    """
    if kind not in PATTERN_KINDS:
        raise ValueError(f"unknown kind '{kind}': use {' or '.join(PATTERN_KINDS)}")
    source = cap.stack(stack)
    target = np.asarray(pattern, dtype=np.float64)
    shape = (len(source.query_tokens), len(source.key_tokens))
    if target.shape != shape:
        raise ValueError(f"the pattern has shape {target.shape}; this text's is {shape}")
    if not ((target >= 0) & (target <= 1)).all():
        raise ValueError("the pattern's cells must lie between 0 and 1")
    on, total, off = np.zeros((3, source.n_layers, source.n_heads))
    for layer, block in blocks(source, block_bytes):
        cells = target[block.rows] * block.allowed
        on[layer] += block.on(cells).sum(axis=1, dtype=np.float64)
        total[layer] += block.weights.sum(axis=(1, 2), dtype=np.float64)
        off[layer] += np.abs(block.weights - cells).sum(axis=(1, 2), dtype=np.float64)
    return on / total if kind == "mul" else 1 - off / shape[0]


def best_offset(
    cap: CapturedText, stack: str | None = None, progress: Progress | None = None, block_bytes: int = BLOCK_BYTES
) -> BestOffsets:
    """The fixed offset k − q on which each head puts most weight, and how much.

    Clark et al. 2019's baseline: a head that does no better than "the token two before"
    has learned a position, whatever else it seems to find. The offset is the one with the
    most weight over all queries; its score is the mean of A[q, q+offset] over the queries that
    have such a key and may see it, so that −1 scores as ``previous_token``.

    Raises:
        ValueError: the capture has no stack of that name, or it is cross attention, whose
            queries and keys are positions in two texts.
    """
    source = cap.stack(stack)
    if source.name == "cross":
        raise ValueError("cross attention has no offsets: its queries and keys are two texts'")
    n_queries, n_keys = len(source.query_tokens), len(source.key_tokens)
    # Offset o has index o + n_queries − 1.
    total = np.zeros((source.n_layers, source.n_heads, n_queries + n_keys - 1))
    n_allowed = np.zeros((source.n_layers, 1, n_queries + n_keys - 1))
    for layer, block in blocks(source, block_bytes, progress, "looking for fixed offsets"):
        first = n_queries - 1 - block.rows[-1]
        offsets = slice(first, first + len(block.rows) + n_keys - 1)
        total[layer, :, offsets] += _along_diagonals(block.weights)
        n_allowed[layer, :, offsets] += _along_diagonals(block.allowed[None])
    best = total.argmax(axis=2)[:, :, None]
    weight = np.take_along_axis(total, best, axis=2)[:, :, 0]
    queries = np.take_along_axis(np.broadcast_to(n_allowed, total.shape), best, axis=2)[:, :, 0]
    return BestOffsets(best[:, :, 0] - (n_queries - 1), weight / queries)


def _along_diagonals(cells: FloatArray | BoolArray) -> FloatArray:
    """Sums of [H, q, K] along its diagonals [H, q + K − 1], from the lowest row's first key on.

    Rows are written one cell longer than they are read back, which shifts each by one.
    """
    n_heads, n_rows, n_keys = cells.shape
    width = n_rows + n_keys
    padded = np.zeros((n_heads, n_rows, width), dtype=cells.dtype)
    padded[:, :, :n_keys] = cells[:, ::-1]
    sheared = padded.reshape(n_heads, -1)[:, : n_rows * (width - 1)]
    summed: FloatArray = sheared.reshape(n_heads, n_rows, width - 1).sum(axis=1, dtype=np.float64)
    return summed
