"""One head's attention as a map: its tokens, its part in view, its resolution."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explorer.analysis.measures.blocks import BLOCK_BYTES, row_blocks
from explorer.capture.loading import Progress
from explorer.records import AttentionStack, CapturedText, HeadMap, MapOptions, Sink, Tokens, Window
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.text.words import merge_words, word_groups, word_labels
from explorer.views.heads.facts import attention_sinks
from explorer.views.heads.heatmap.weights import RowReader, allowed_by, weights_by
from explorer.views.heads.page import PARTS, MapSettings

MOST_CELLS = 512
_WINDOW = re.compile(r"(\d+)-(\d+),(\d+)-(\d+)", re.ASCII)
AS_CAPTURED = MapOptions()


@dataclass(frozen=True)
class Region:
    """A part of a map, and its resolution.

    Attributes:
        queries: first row and the one after the last; None for all.
        keys: likewise of columns.
        most: cells a side; of more, each cell is the largest weight of a block. None for
            every cell.
    """

    queries: tuple[int, int] | None = None
    keys: tuple[int, int] | None = None
    most: int | None = None


WHOLE = Region()


def compute(
    session: Session, settings: MapSettings, progress: Progress | None = None, most: int | None = None
) -> HeadMap:
    """The map of one head, or of several heads together, in at most ``most`` cells a side.

    Raises:
        ValueError: a layer or head the model does not have, or an unreadable text.
        ModelError: the model cannot be loaded.
    """
    cap = session.capture(settings.request, progress)
    switches, region = options_of(settings, cap.pair), region_of(settings.window, most)
    return head_map(cap, settings.layer, settings.head, settings.stack or None, switches, region)


def region_of(window: str, most: int | None = None) -> Region:
    """The part of a map that a window names: "0-10,5-20" is the first ten rows and the columns 5 to 19.

    Raises:
        ValueError: a malformed or empty window.
    """
    if not window:
        return Region(most=most)
    match = _WINDOW.fullmatch(window)
    top, bottom, left, right = map(int, match.groups()) if match else (0, 0, 0, 0)
    if top >= bottom or left >= right:
        raise ValueError(f"{window[:40]} is not a part of a map: write its rows and columns, as 0-10,5-20")
    return Region((top, bottom), (left, right), most)


def options_of(settings: MapSettings, pair: str | None) -> MapOptions:
    """How the map is read; a part applies to a pair only.

    Raises:
        ValueError: a malformed list of heads.
    """
    names = settings.heads.split(",") if settings.aggregate in ("mean", "max") else []
    try:
        heads = tuple((int(layer), int(head)) for layer, head in (name.split(".") for name in names if name))
    except ValueError:
        raise ValueError(f"{settings.heads} is not a list of heads: write layer.head, as 1.8,2.0") from None
    part = settings.part if pair else "all"
    return MapOptions(settings.words, settings.special, part, settings.aggregate, heads, settings.norm)


@dataclass(frozen=True)
class _Axis:
    """Rows or columns: groups of tokens, of which ``first`` to ``end`` are in view, ``per_cell`` of them a cell.

    A group is one token, or the pieces of a word.
    """

    tokens: Tokens
    groups: list[list[int]]
    words: bool
    first: int
    end: int
    per_cell: int

    @property
    def in_view(self) -> list[list[int]]:
        """The groups in view."""
        return self.groups[self.first : self.end]

    @property
    def is_whole(self) -> bool:
        """Whether each group has a cell of its own."""
        return self.end - self.first == len(self.groups) and self.per_cell == 1

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The label of each cell; repeats are numbered over the whole text."""
        labels = (
            word_labels(self.tokens, self.groups)
            if self.words
            else tuple(self.tokens.labels[group[0]] for group in self.groups)
        )
        return _blocks_of_labels(labels[self.first : self.end], self.per_cell)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """The note on each cell's token."""
        if self.words:
            return ("",) * len(self.labels)
        return _block_notes(tuple(self.tokens.notes[group[0]] for group in self.in_view), self.per_cell)

    def tokens_at(self, position: float) -> list[int]:
        """The tokens of the cell whose middle is at ``position``, or of the nearest cell."""
        last = (self.end - self.first - 1) // self.per_cell
        start = self.first + self.per_cell * min(max(int((position - self.first) // self.per_cell), 0), last)
        return [token for group in self.groups[start : min(start + self.per_cell, self.end)] for token in group]


def head_map(
    cap: CapturedText,
    layer: int,
    head: int,
    stack: str | None = None,
    switches: MapOptions = AS_CAPTURED,
    region: Region = WHOLE,
    block_bytes: int = BLOCK_BYTES,
) -> HeadMap:
    """One head's attention as a map.

    It is computed in blocks of rows: the coarse map of a long text never needs the whole in memory.

    Args:
        cap: the captured text.
        layer: counted from 0.
        head: counted from 0.
        stack: "encoder", "decoder" or "cross"; None means the only or first one.
        switches: how the map is read.
        region: which part of it, and at what resolution.
        block_bytes: the most memory for one head's weights at a time.

    Raises:
        ValueError: unknown stack, layer, head, part or aggregate.
        ModelError: norm-based weights of a model whose values are not known.
    """
    source = cap.stack(stack)
    weights = weights_by(cap, layer, head, stack, switches)
    rows, columns = _axes(cap, source, switches, region)
    allowed = allowed_by(source, layer, head, switches)
    whole = rows.is_whole and columns.is_whole
    size = (len(rows.groups), len(columns.groups))
    return HeadMap(
        source=Source.of(cap, stack),
        stack=source.name,
        layer=layer,
        head=head,
        queries=rows.labels,
        keys=columns.labels,
        query_notes=rows.notes,
        key_notes=columns.notes,
        weights=_cells(weights, rows, columns, block_bytes),
        allowed=_cells(allowed, rows, columns, block_bytes) > 0,
        causal=source.causal,
        switches=switches,
        sinks=_sinks(source, layer, head, switches, columns.groups),
        window=None if whole else Window(rows.first, columns.first, rows.per_cell, columns.per_cell, size),
    )


def token_groups(
    cap: CapturedText, source: AttentionStack, switches: MapOptions
) -> tuple[list[list[int]], list[list[int]]]:
    """The tokens of each row and each column of a map.

    Raises:
        ValueError: an unknown part, or no token left.
    """
    part = switches.part
    if part not in PARTS:
        raise ValueError(f"unknown part '{part}': use {', '.join(PARTS)}")
    if part != "all" and cap.pair is None:
        raise ValueError(f"part {part} needs a second text")
    sides = []
    for tokens, letter in ((source.query_tokens, part[:1]), (source.key_tokens, part[-1:])):
        groups = word_groups(tokens) if switches.words else [[i] for i in range(len(tokens))]
        groups = [group for group in groups if switches.special or not tokens.special[group[0]]]
        if part != "all":
            groups = [group for group in groups if tokens.segment[group[0]] == "AB".index(letter)]
        if not groups:
            raise ValueError("only special tokens are left of this text: show special tokens")
        sides.append(groups)
    return sides[0], sides[1]


def map_labels(
    cap: CapturedText, stack: str | None = None, switches: MapOptions = AS_CAPTURED, region: Region = WHOLE
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of the rows and the columns, which are the same for every head of a stack.

    Raises:
        ValueError: an unknown stack or part.
    """
    rows, columns = _axes(cap, cap.stack(stack), switches, region)
    return rows.labels, columns.labels


def _axes(cap: CapturedText, source: AttentionStack, switches: MapOptions, region: Region) -> tuple[_Axis, _Axis]:
    queries, keys = token_groups(cap, source, switches)
    return (
        _axis(source.query_tokens, queries, switches.words, region.queries, region.most),
        _axis(source.key_tokens, keys, switches.words, region.keys, region.most),
    )


def _axis(
    tokens: Tokens, groups: list[list[int]], words: bool, part: tuple[int, int] | None, most: int | None
) -> _Axis:
    first, end = part or (0, len(groups))
    first = min(max(first, 0), len(groups) - 1)
    end = max(min(end, len(groups)), first + 1)
    return _Axis(tokens, groups, words, first, end, -(-(end - first) // (most or end - first)))


def _cells(read: RowReader, rows: _Axis, columns: _Axis, block_bytes: int) -> np.ndarray:
    """A map's cells, from the values that ``read`` gives for a block of rows at a time."""
    count = -(-(rows.end - rows.first) // rows.per_cell)
    blocks = []
    for block in row_blocks(count, 4 * rows.per_cell * len(columns.tokens), block_bytes):
        queries = rows.in_view[block.start * rows.per_cell : block.stop * rows.per_cell]
        span = slice(queries[0][0], queries[-1][-1] + 1)
        local = [[token - span.start for token in group] for group in queries]
        cells = _select(read(span), local, columns.in_view, rows.words)
        blocks.append(_block_max(cells, rows.per_cell, columns.per_cell))
    return np.concatenate(blocks)


def _select(cells: np.ndarray, queries: list[list[int]], keys: list[list[int]], words: bool) -> np.ndarray:
    """The rows and columns in view, pieces merged to words if asked to."""
    if words:
        return merge_words(cells.astype(np.float32), queries, keys)
    rows, columns = [group[0] for group in queries], [group[0] for group in keys]
    return cells if cells.shape == (len(rows), len(columns)) else cells[np.ix_(rows, columns)]


def _sinks(
    source: AttentionStack, layer: int, head: int, switches: MapOptions, columns: list[list[int]]
) -> tuple[Sink, ...]:
    """The attention sinks, by the columns of the map; of one head's own weights only."""
    if switches.aggregate != "head" or switches.norm:
        return ()
    column_of = {token: column for column, group in enumerate(columns) for token in group}
    sinks = attention_sinks(source, layer, head)
    return tuple(replace(sink, key=column_of[sink.key]) for sink in sinks if sink.key in column_of)


def coarse(whole: HeadMap, most: int) -> HeadMap:
    """A whole map in at most ``most`` cells a side, each the largest weight of a block."""
    size = whole.weights.shape
    per_query, per_key = (-(-length // most) for length in size)
    if per_query == per_key == 1:
        return whole
    return replace(
        whole,
        queries=_blocks_of_labels(whole.queries, per_query),
        keys=_blocks_of_labels(whole.keys, per_key),
        query_notes=_block_notes(whole.query_notes, per_query),
        key_notes=_block_notes(whole.key_notes, per_key),
        weights=_block_max(whole.weights, per_query, per_key),
        allowed=_block_max(whole.allowed, per_query, per_key),
        window=Window(0, 0, per_query, per_key, (size[0], size[1])),
    )


def _block_max(cells: np.ndarray, per_query: int, per_key: int) -> np.ndarray:
    for axis, size in ((0, per_query), (1, per_key)):
        if size > 1:
            cells = np.maximum.reduceat(cells, np.arange(0, cells.shape[axis], size), axis=axis)
    return cells


def block_labels(labels: Sequence[str], starts: Sequence[int]) -> tuple[str, ...]:
    """The labels of blocks of tokens that begin at ``starts``: their first and last token."""
    ends = [*starts[1:], len(labels)]
    pairs = [(labels[start], labels[end - 1]) for start, end in zip(starts, ends, strict=True)]
    return tuple(first if first == last else f"{first} … {last}" for first, last in pairs)


def _blocks_of_labels(labels: tuple[str, ...], size: int) -> tuple[str, ...]:
    return block_labels(labels, range(0, len(labels), size))


def _block_notes(notes: tuple[str, ...], size: int) -> tuple[str, ...]:
    return notes if size == 1 else ("",) * -(-len(notes) // size)


def tokens_of_cell(
    cap: CapturedText,
    layer: int,
    head: int,
    stack: str | None,
    switches: MapOptions,
    region: Region,
    cell: tuple[float, float],
) -> tuple[int, int]:
    """The query and key token under a cell of a map.

    In a cell of words, or a block of a coarse map, they are the two tokens with most of the head's weight.
    ``cell`` is its middle, in rows and columns of the whole map; the other arguments are ``head_map``'s.
    """
    source = cap.stack(stack)
    rows, columns = _axes(cap, source, switches, region)
    queries, keys = rows.tokens_at(cell[0]), columns.tokens_at(cell[1])
    block = source.attention(layer, head, slice(queries[0], queries[-1] + 1))
    weights = block[np.ix_([query - queries[0] for query in queries], keys)]
    row, column = np.unravel_index(int(weights.argmax()), weights.shape)
    return queries[row], keys[column]
