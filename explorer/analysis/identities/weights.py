"""Identities of attention weights alone: rows sum to 1, and masked cells are 0."""

from __future__ import annotations

import numpy as np

from explorer.analysis.identities.errors import MaxError, within
from explorer.analysis.measures.blocks import Block, Progress, blocks
from explorer.records import AttentionStack, CapturedText, FloatArray, Identity, ModelError

UNMASKED = "every token sees every other here: nothing is masked"


def weights_alone(
    cap: CapturedText, tolerance: float, note: str, sunk: bool, progress: Progress
) -> dict[str, Identity]:
    """Rows that sum to 1 within ``tolerance``, and masked cells of exactly 0, in all stacks.

    ``sunk`` says whether the model has learned sinks. Where their share is not known, only a row
    over 1 is an error.
    """
    rows, masked = MaxError(), MaxError()
    for number, name in enumerate(cap.stacks):
        source = cap.stack(name)
        part = within(progress, number / len(cap.stacks), (number + 1) / len(cap.stacks))
        last, taken = -1, None
        for layer, block in blocks(source, progress=part, doing="adding up rows"):
            if sunk and layer != last:
                last, taken = layer, sink_shares(source, layer)
            rows.update_heads(_row_errors(block, taken, sunk), name, layer)
            forbidden = ~block.allowed | (source.causal & (block.offsets > 0))
            if forbidden.any():
                masked.update_heads(np.abs(block.weights[:, forbidden]).max(axis=1), name, layer)
        if sunk and taken is None:
            note = "what learned sinks take is not known here: only a row over 1 would be an error"
    return {"rows": rows.identity("rows", tolerance, "", note), "masked": masked.identity("masked", 0.0, UNMASKED)}


def _row_errors(block: Block, taken: FloatArray | None, sunk: bool) -> FloatArray:
    """How far each head's worst row is from 1 [H], the sinks' share included."""
    sums = block.weights.sum(axis=-1, dtype=np.float64)
    if taken is not None:
        sums += taken[:, block.rows]
    off = sums - block.allowed.any(axis=-1)  # a query that may see no key sums to 0
    unknown = sunk and taken is None
    worst: FloatArray = (np.maximum(off, 0) if unknown else np.abs(off)).max(axis=1)
    return worst


def sink_shares(source: AttentionStack, layer: int) -> FloatArray | None:
    """The learned sinks' share of each row of a layer [H, Q]; None where it is not known.

    Computed from the scores: exp(sink) / (Σ_k exp(score_k) + exp(sink)).
    """
    try:
        sinks = [source.score_parts(layer, head, 0).sink for head in range(source.n_heads)]
    except ModelError:  # captured eagerly
        return None
    allowed, shares = source.allowed(layer), []
    for head, sink in enumerate(sinks):
        if sink is None:
            return None
        scores = np.where(allowed, source.scores(layer, head).astype(np.float64), -np.inf)
        shares.append(1 / (1 + np.exp(np.logaddexp.reduce(scores, axis=-1) - sink)))
    return np.array(shares)
