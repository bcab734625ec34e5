"""What a measure of heads is, and the one pass that computes any set of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.measures.blocks import BLOCK_BYTES, Block, Progress, blocks, head_blocks
from explorer.records import AttentionStack, CapturedText, FloatArray


@dataclass(frozen=True)
class Measure:
    """A number a head: the mean over queries of what ``per_query`` gives.

    Attributes:
        name: its key in ``MEASURES`` and its column in tables.
        title: what it is called on a page.
        reading: how to read it, in a sentence.
        formula: its definition, A[q, k] being a head's weights.
        source: who defined it.
        unit: "nats", "tokens", or "share" of a query's weight.
        range: lowest and highest value; None where that depends on the text.
        undefined: where it is NaN, in words.
        per_query: gives a value for each head and query [H, q] of a block of rows; NaN for
            a query that has none.
    """

    name: str
    title: str
    reading: str
    formula: str
    source: str
    unit: str
    range: tuple[float | None, float | None]
    undefined: str
    per_query: Callable[[Block], FloatArray]

    def compute(self, cap: CapturedText, stack: str | None = None) -> FloatArray:
        """The measure of every head, float64 [L, H]; NaN where it is undefined.

        Args:
            cap: a captured text.
            stack: which of its stacks; None means the only one, or the first.

        Raises:
            ValueError: the capture has no stack of that name.
        """
        return means_over_queries(cap, [self], stack)[self.name]


def means_over_queries(
    cap: CapturedText,
    measures: Sequence[Measure],
    stack: str | None = None,
    progress: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> dict[str, FloatArray]:
    """Several measures of every head in one pass over the attention.

    Args:
        cap: a captured text.
        measures: what to compute.
        stack: which of its stacks; None means the only one, or the first.
        progress: called with a sentence and a share of 1 before each block of rows; what it
            raises ends the pass.
        block_bytes: how much of one layer's weights may be held at a time.

    Returns:
        Float64 [L, H] under each measure's name, NaN where no query has a value.

    Raises:
        ValueError: the capture has no stack of that name.
    """
    source = cap.stack(stack)
    shape = (len(measures), source.n_layers, source.n_heads)
    total, count = np.zeros(shape), np.zeros(shape)
    for layer, block in blocks(source, block_bytes, progress):
        of_block = _sums(measures, block)
        total[:, layer] += of_block[0]
        count[:, layer] += of_block[1]
    mean = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
    return {measure.name: mean[number] for number, measure in enumerate(measures)}


def means_of_head(source: AttentionStack, layer: int, head: int, measures: Sequence[Measure]) -> dict[str, float]:
    """Several measures of one head only, by name; NaN where no query has a value.

    Raises:
        ValueError: a layer or head out of range.
    """
    total, count = np.zeros((2, len(measures)))
    for block in head_blocks(source, layer, head):
        of_block = _sums(measures, block)
        total += of_block[0][:, 0]
        count += of_block[1][:, 0]
    mean = np.divide(total, count, out=np.full(len(measures), np.nan), where=count > 0)
    return {measure.name: float(mean[number]) for number, measure in enumerate(measures)}


def _sums(measures: Sequence[Measure], block: Block) -> tuple[FloatArray, FloatArray]:
    """Sum over a block's queries, and how many have a value: two [measures, H]."""
    sees_any = block.allowed.any(axis=1)
    values = np.stack([block.where(sees_any, measure.per_query(block)) for measure in measures])
    defined = ~np.isnan(values)
    return values.sum(axis=2, where=defined, dtype=np.float64), defined.sum(axis=2)
