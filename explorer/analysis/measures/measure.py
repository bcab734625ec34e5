"""What a measure of heads is, and the one pass that computes any set of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.analysis.measures.blocks import BLOCK_BYTES, Block, Progress, blocks, head_blocks
from explorer.records import AttentionStack, CapturedText, FloatArray


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a number means, for the help on the page and for the documentation.

    ``name`` is its key in files, ``title`` its name on the page; ``reading`` says how to read it,
    ``source`` who defined it, ``undefined`` where it has no value. In ``formula``, A[q, k] are a
    head's weights.
    """

    name: str
    title: str
    reading: str
    formula: str
    source: str
    undefined: str = "nowhere"


@dataclass(frozen=True, kw_only=True)
class Measure(Definition):
    """A number for each head: the mean over queries of ``per_query``.

    Attributes:
        name: its key in ``MEASURES`` and its column in tables.
        title: its name on the page.
        reading: how to read it, in a sentence.
        formula: its definition, where A[q, k] are a head's weights.
        source: who defined it.
        undefined: where it is NaN, in words.
        unit: "nats", "tokens", or "share" of a query's weight.
        range: lowest and highest value; None where that depends on the text.
        per_query: returns a value for each head and query [H, q] of a ``Block`` of rows; NaN for
            a query without one.
    """

    unit: str = "share"
    range: tuple[float | None, float | None] = (0, 1)
    per_query: Callable[[Block], FloatArray]

    def compute(self, cap: CapturedText, stack: str | None = None) -> FloatArray:
        """The measure of every head of a stack, float64 [L, H]; NaN where it is undefined.

        Args:
            cap: a captured text.
            stack: None means the only one, or the first.

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
    """Several measures of every head of a stack in one pass over the attention.

    Float64 [L, H] by name, NaN where no query has a value. At most ``block_bytes`` of a layer's
    weights are in memory at a time; ``progress`` is called before each block of rows.

    Raises:
        ValueError: the capture has no stack of that name.
    """
    source = cap.stack(stack)
    total, count = np.zeros((2, len(measures), source.n_layers, source.n_heads))
    for layer, block in blocks(source, block_bytes, progress):
        sums, n_defined = _sums(measures, block)
        total[:, layer] += sums
        count[:, layer] += n_defined
    return dict(zip((measure.name for measure in measures), _means(total, count), strict=True))


def means_of_head(source: AttentionStack, layer: int, head: int, measures: Sequence[Measure]) -> dict[str, float]:
    """Several measures of one head, by name; NaN where no query has a value.

    Raises:
        ValueError: a layer or head out of range.
    """
    total, count = np.zeros((2, len(measures)))
    for block in head_blocks(source, layer, head):
        sums, n_defined = _sums(measures, block)
        total += sums[:, 0]
        count += n_defined[:, 0]
    return dict(zip((measure.name for measure in measures), _means(total, count).tolist(), strict=True))


def _means(total: FloatArray, count: FloatArray) -> FloatArray:
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _sums(measures: Sequence[Measure], block: Block) -> tuple[FloatArray, FloatArray]:
    """Sum over a block's queries, and how many have a value: two [measures, H]."""
    sees_any = block.allowed.any(axis=1)
    values = np.stack([block.where(sees_any, measure.per_query(block)) for measure in measures])
    defined = ~np.isnan(values)
    return values.sum(axis=2, where=defined, dtype=np.float64), defined.sum(axis=2)
