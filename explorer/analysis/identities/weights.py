"""What attention weights must be whatever the model: rows of 1, and nothing where it is masked."""

from __future__ import annotations

import numpy as np

from explorer.analysis.identities.errors import MaxError, within
from explorer.analysis.measures.blocks import Block, Progress, blocks
from explorer.records import AttentionStack, CapturedText, FloatArray, Identity, ModelError

UNMASKED = "every token sees every other here: nothing is masked"


def weights_alone(cap: CapturedText, tolerance: float, note: str, sunk: bool, tell: Progress) -> dict[str, Identity]:
    """Rows that add up to 1, and masked cells of exactly 0, in all stacks of a capture.

    Args:
        cap: the captured text.
        tolerance: how far a row's sum may be from 1.
        note: what is said of that tolerance.
        sunk: whether the model has learned sinks. Where what they take is not known, only a row
            over 1 is an error.
        tell: called before each block of rows.
    """
    rows, masked = MaxError(), MaxError()
    for number, name in enumerate(cap.stacks):
        source = cap.stack(name)
        part = within(tell, number / len(cap.stacks), (number + 1) / len(cap.stacks))
        last, taken = -1, None
        for layer, block in blocks(source, progress=part, doing="adding up rows"):
            if sunk and layer != last:
                last, taken = layer, sink_shares(source, layer)
            rows.see_heads(_row_errors(block, taken, sunk), name, layer)
            forbidden = ~block.allowed | (source.causal & (block.offsets > 0))
            if forbidden.any():
                masked.see_heads(np.abs(block.weights[:, forbidden]).max(axis=1), name, layer)
        if sunk and taken is None:
            note = "what learned sinks take is not known here: only a row over 1 would be an error"
    return {"rows": rows.told("rows", tolerance, "", note), "masked": masked.told("masked", 0.0, UNMASKED)}


def _row_errors(block: Block, taken: FloatArray | None, sunk: bool) -> FloatArray:
    """How far each head's worst row is from 1 [H], with what sinks take of it."""
    sums = block.weights.sum(axis=-1, dtype=np.float64)
    if taken is not None:
        sums += taken[:, block.rows]
    off = sums - block.allowed.any(axis=-1)  # a query that may see no key has nothing to give
    unknown = sunk and taken is None
    worst: FloatArray = (np.maximum(off, 0) if unknown else np.abs(off)).max(axis=1)
    return worst


def sink_shares(source: AttentionStack, layer: int) -> FloatArray | None:
    """What a layer's learned sinks take of each row [H, Q]; None where that is not known.

    Worked out of the scores alone: exp(sink) / (Σ_k exp(score_k) + exp(sink)).
    """
    try:
        sinks = [source.score_parts(layer, head, 0).sink for head in range(source.n_heads)]
    except ModelError:  # captured eagerly, so that they are not known
        return None
    allowed, shares = source.allowed(layer), []
    for head, sink in enumerate(sinks):
        if sink is None:
            return None
        scores = np.where(allowed, source.scores(layer, head).astype(np.float64), -np.inf)
        shares.append(1 / (1 + np.exp(np.logaddexp.reduce(scores, axis=-1) - sink)))
    return np.array(shares)
