"""A stack's attention in blocks of rows, so that all its maps are never in memory at once."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explorer.records import AttentionStack, BoolArray, FloatArray, IntArray, Tokens

BLOCK_BYTES = 64 * 2**20

# Called with a sentence and the share that is done, 0 to 1; an exception it raises stops the work.
Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Sides:
    """The tokens that attend and those attended to; in cross attention they are of two texts."""

    queries: Tokens
    keys: Tokens
    cross: bool

    @cached_property
    def punctuation(self) -> BoolArray:
        """Which keys are punctuation only [K]; special tokens are not."""
        return np.array(
            [
                not special
                and bool(text)
                and all(c in string.punctuation or unicodedata.category(c).startswith("P") for c in text)
                for text, special in zip(_texts(self.keys), self.keys.special, strict=True)
            ]
        )


@dataclass(frozen=True)
class Block:
    """Some queries' attention in one layer: the input of a measure.

    ``weights`` are those of all heads [H, q, K], 0 where a key is not ``allowed`` [q, K]; ``rows``
    are the indices of the queries [q].
    """

    weights: FloatArray
    allowed: BoolArray
    rows: IntArray
    sides: Sides

    @cached_property
    def offsets(self) -> IntArray:
        """Position of each key relative to each query [q, K], in tokens; negative before it."""
        return np.arange(self.allowed.shape[1]) - self.rows[:, None]

    @cached_property
    def entropies(self) -> FloatArray:
        """−Σ_k A ln A in nats [H, q]; a weight of 0 adds nothing."""
        smallest = np.finfo(self.weights.dtype).tiny
        logarithms = np.log(np.maximum(self.weights, smallest))
        return -np.einsum("hqk,hqk->hq", self.weights, logarithms)

    @cached_property
    def copies(self) -> BoolArray:
        """Which keys are earlier copies of each query's token [q, K]; special tokens have none."""
        queries, keys = self.sides.queries, self.sides.keys
        if self.sides.cross:
            return np.zeros_like(self.allowed)
        same = queries.ids[self.rows, None] == keys.ids
        plain = ~(queries.special[self.rows, None] | keys.special)
        return same & plain & (self.offsets < 0)

    def on(self, pattern: BoolArray | FloatArray) -> FloatArray:
        """Each query's weight [H, q] on a pattern of keys [K] or of cells [q, K]."""
        subscripts = "hqk,k->hq" if pattern.ndim == 1 else "hqk,qk->hq"
        return np.einsum(subscripts, self.weights, pattern.astype(self.weights.dtype))

    def where(self, defined: BoolArray | np.bool_ | bool, values: FloatArray) -> FloatArray:
        """The values [H, q], NaN for queries where they are not ``defined`` ([q], or a scalar)."""
        return np.where(defined, values, np.nan)


def row_blocks(n_rows: int, row_bytes: int, block_bytes: int = BLOCK_BYTES) -> list[slice]:
    """Split rows of ``row_bytes`` each into blocks of at most ``block_bytes``, at least one row."""
    size = max(1, block_bytes // max(row_bytes, 1))
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def blocks(
    stack: AttentionStack,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress | None = None,
    doing: str = "measuring heads",
) -> Iterator[tuple[int, Block]]:
    """Iterate over every block of rows of every layer of a stack, with the layer's number.

    At most ``block_bytes`` of one layer's weights are in memory at a time; ``progress`` is called
    before each block, with the sentence ``doing``.
    """
    sides, row_slices = _sides_and_rows(stack, stack.n_heads, block_bytes)
    for layer in range(stack.n_layers):
        for number, rows in enumerate(row_slices):
            if progress is not None:
                progress(doing, (layer + number / len(row_slices)) / stack.n_layers)
            yield layer, _block(stack, layer, rows, stack.attention(layer, rows=rows), sides)


def head_blocks(stack: AttentionStack, layer: int, head: int, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Iterate over every block of rows of one head, as if it were its layer's only head."""
    sides, row_slices = _sides_and_rows(stack, 1, block_bytes)
    for rows in row_slices:
        yield _block(stack, layer, rows, stack.attention(layer, head, rows)[None], sides)


def _sides_and_rows(stack: AttentionStack, n_heads: int, block_bytes: int) -> tuple[Sides, list[slice]]:
    sides = Sides(stack.query_tokens, stack.key_tokens, stack.name == "cross")
    return sides, row_blocks(len(sides.queries), 4 * n_heads * len(sides.keys), block_bytes)


def _block(stack: AttentionStack, layer: int, rows: slice, weights: FloatArray, sides: Sides) -> Block:
    return Block(weights, stack.allowed(layer, rows), np.arange(len(sides.queries))[rows], sides)


def _texts(tokens: Tokens) -> list[str]:
    """Each token as it was typed; its label without the number where it has no offsets."""
    return [
        tokens.texts[segment][start:end].strip() if segment >= 0 and start < end else re.sub(r"·\d+$", "", label)
        for label, segment, (start, end) in zip(tokens.labels, tokens.segment, tokens.offsets, strict=True)
    ]
