"""A stack's attention in blocks of rows, so that no text's maps are ever all in memory."""

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

# Called with a sentence and a share of 1 as work goes on; what it raises ends the work.
Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Sides:
    """The tokens that attend and those attended to; of cross attention two different texts."""

    queries: Tokens
    keys: Tokens
    cross: bool

    @cached_property
    def punctuation(self) -> BoolArray:
        """Which keys are punctuation marks and nothing else [K]; special tokens are not."""
        return np.array(
            [
                not special and bool(text) and all(_is_mark(character) for character in text)
                for text, special in zip(_texts(self.keys), self.keys.special, strict=True)
            ]
        )


@dataclass(frozen=True)
class Block:
    """Some queries' attention in one layer: what a measure is given.

    Attributes:
        weights: of all heads [H, q, K]; 0 where ``allowed`` is False.
        allowed: which keys each query may see [q, K].
        rows: which queries these are [q].
        sides: the tokens of both sides.
    """

    weights: FloatArray
    allowed: BoolArray
    rows: IntArray
    sides: Sides

    @cached_property
    def offsets(self) -> IntArray:
        """How far each key stands after each query [q, K], in tokens; before it is negative."""
        return np.arange(self.allowed.shape[1]) - self.rows[:, None]

    @cached_property
    def entropies(self) -> FloatArray:
        """−Σ_k A ln A in nats [H, q]; a weight of 0 adds nothing."""
        smallest = np.finfo(self.weights.dtype).tiny
        logarithms = np.log(np.maximum(self.weights, smallest))
        return -np.einsum("hqk,hqk->hq", self.weights, logarithms)

    @cached_property
    def copies(self) -> BoolArray:
        """Which keys are earlier copies of a query's token [q, K]; special tokens have none."""
        queries, keys = self.sides.queries, self.sides.keys
        if self.sides.cross:
            return np.zeros_like(self.allowed)
        same = queries.ids[self.rows, None] == keys.ids
        plain = ~(queries.special[self.rows, None] | keys.special)
        return same & plain & (self.offsets < 0)

    def on(self, pattern: BoolArray | FloatArray) -> FloatArray:
        """Each query's weight on a pattern of keys [K] or of cells [q, K]: [H, q]."""
        of_cells = "hqk,k->hq" if pattern.ndim == 1 else "hqk,qk->hq"
        return np.einsum(of_cells, self.weights, pattern.astype(self.weights.dtype))

    def where(self, defined: BoolArray | np.bool_ | bool, values: FloatArray) -> FloatArray:
        """The values [H, q] of the queries that have one ([q], or all); NaN for the others."""
        return np.where(defined, values, np.nan)


def row_blocks(n_rows: int, row_bytes: int, block_bytes: int = BLOCK_BYTES) -> list[slice]:
    """Cut rows of ``row_bytes`` each into blocks of at most ``block_bytes``, one row at least."""
    size = max(1, block_bytes // max(row_bytes, 1))
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def blocks(
    stack: AttentionStack,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress | None = None,
    doing: str = "measuring heads",
) -> Iterator[tuple[int, Block]]:
    """Walk a stack: every block of rows of every layer, with the layer's number.

    Args:
        stack: whose attention.
        block_bytes: how much of one layer's weights may be held at a time.
        progress: called before each block.
        doing: the sentence it is called with.
    """
    sides, parts = _sides(stack), _parts(stack, stack.n_heads, block_bytes)
    for layer in range(stack.n_layers):
        for number, rows in enumerate(parts):
            if progress is not None:
                progress(doing, (layer + number / len(parts)) / stack.n_layers)
            yield layer, _block(stack, layer, rows, stack.attention(layer, rows=rows), sides)


def head_blocks(stack: AttentionStack, layer: int, head: int, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Walk one head: every block of its rows, as of a layer that has this head only."""
    sides = _sides(stack)
    for rows in _parts(stack, 1, block_bytes):
        yield _block(stack, layer, rows, stack.attention(layer, head, rows)[None], sides)


def _sides(stack: AttentionStack) -> Sides:
    return Sides(stack.query_tokens, stack.key_tokens, stack.name == "cross")


def _parts(stack: AttentionStack, n_heads: int, block_bytes: int) -> list[slice]:
    row_bytes = 4 * n_heads * len(stack.key_tokens)
    return row_blocks(len(stack.query_tokens), row_bytes, block_bytes)


def _block(stack: AttentionStack, layer: int, rows: slice, weights: FloatArray, sides: Sides) -> Block:
    places = np.arange(len(stack.query_tokens))[rows]
    return Block(weights, stack.allowed(layer, rows), places, sides)


def _texts(tokens: Tokens) -> list[str]:
    """Each token as it was typed; its label, less the number, where it has no place."""
    return [
        tokens.texts[segment][start:end].strip() if segment >= 0 and start < end else re.sub(r"·\d+$", "", label)
        for label, segment, (start, end) in zip(tokens.labels, tokens.segment, tokens.offsets, strict=True)
    ]


def _is_mark(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")
