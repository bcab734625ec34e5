"""One head's attention as a map: the tokens that are drawn, which part, how coarse."""

from __future__ import annotations

import re
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
    """The part of a map that is wanted, and how coarse it may be.

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
    """The map of one head, or of several heads together.

    Args:
        session: knows the model.
        settings: of the view; of a ``window`` only that part is computed.
        progress: called as the model loads and reads.
        most: cells a side; of more, each cell is the largest weight of a block.

    Raises:
        ValueError: a layer or head the model does not have, or an unreadable text.
        ModelError: the model cannot be loaded.
    """
    cap = session.capture(settings.request, progress)
    options, region = options_of(settings, cap.pair), region_of(settings.window, most)
    return head_map(cap, settings.layer, settings.head, settings.stack or None, options, region)


def region_of(window: str, most: int | None = None) -> Region:
    """The part of a map that is zoomed into, or all of it where the window is empty.

    Args:
        window: "0-10,5-20" is the first ten rows and the columns 5 to 19.
        most: cells a side; of more, each cell is the largest weight of a block.

    Raises:
        ValueError: a window that is none.
    """
    if not window:
        return Region(most=most)
    found = _WINDOW.fullmatch(window)
    top, bottom, left, right = map(int, found.groups()) if found else (0, 0, 0, 0)
    if top >= bottom or left >= right:
        raise ValueError(f"{window[:40]} is not a part of a map: write its rows and columns, as 0-10,5-20")
    return Region((top, bottom), (left, right), most)


def options_of(settings: MapSettings, pair: str | None) -> MapOptions:
    """How the map is read; a part is one of a pair's only.

    Raises:
        ValueError: a list of heads that is none.
    """
    named = settings.heads.split(",") if settings.aggregate in ("mean", "max") else []
    heads = [name.split(".") for name in named if name]
    try:
        chosen = tuple((int(layer), int(head)) for layer, head in heads)
    except ValueError:
        raise ValueError(f"{settings.heads} is not a list of heads: write layer.head, as 1.8,2.0") from None
    return MapOptions(
        settings.words, settings.special, settings.part if pair else "all", settings.aggregate, chosen, settings.norm
    )


@dataclass(frozen=True)
class _Axis:
    """Rows or columns: groups of tokens, of which ``first`` to ``end`` are drawn, ``each`` a cell.

    A group is one token, or the pieces of a word.
    """

    tokens: Tokens
    groups: list[list[int]]
    words: bool
    first: int
    end: int
    each: int

    @property
    def drawn(self) -> list[list[int]]:
        """The groups that are drawn."""
        return self.groups[self.first : self.end]

    @property
    def is_whole(self) -> bool:
        """Whether each group has a cell of its own."""
        return self.end - self.first == len(self.groups) and self.each == 1

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What each cell is called; repeats are numbered over the whole text."""
        every = (
            word_labels(self.tokens, self.groups)
            if self.words
            else tuple(self.tokens.labels[group[0]] for group in self.groups)
        )
        return _block_labels(every[self.first : self.end], self.each)

    def under(self, at: float) -> list[int]:
        """The tokens of the cell whose middle is ``at``; of the nearest one outside."""
        last = (self.end - self.first - 1) // self.each
        start = self.first + self.each * min(max(int((at - self.first) // self.each), 0), last)
        groups = self.groups[start : min(start + self.each, self.end)]
        return [token for group in groups for token in group]

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of each cell's token."""
        if self.words:
            return ("",) * len(self.labels)
        notes = tuple(self.tokens.notes[group[0]] for group in self.drawn)
        return _block_notes(notes, self.each)


def head_map(
    cap: CapturedText,
    layer: int,
    head: int,
    stack: str | None = None,
    switches: MapOptions = AS_CAPTURED,
    region: Region = WHOLE,
    block_bytes: int = BLOCK_BYTES,
) -> HeadMap:
    """One head's attention as a map, with the chosen switches.

    It is made from blocks of rows: of a long text's coarse map the whole is never held.

    Args:
        cap: the captured text.
        layer: counted from 0.
        head: counted from 0.
        stack: "encoder", "decoder" or "cross"; None means the only or first one.
        switches: how the map is read.
        region: which part of it, and how coarse.
        block_bytes: how much of one head's weights may be held at a time.

    Raises:
        ValueError: stack, layer, head, part or way of combining that there is not.
        ModelError: norm-based weights of a model whose values are not known.
    """
    source = cap.stack(stack)
    weigh = weights_by(cap, layer, head, stack, switches)
    rows, columns = _axes(cap, source, switches, region)
    seen = allowed_by(source, layer, head, switches)
    whole = rows.is_whole and columns.is_whole
    return HeadMap(
        source=Source.of(cap, stack),
        stack=source.name,
        layer=layer,
        head=head,
        queries=rows.labels,
        keys=columns.labels,
        query_notes=rows.notes,
        key_notes=columns.notes,
        weights=_cells(weigh, rows, columns, block_bytes),
        allowed=_cells(seen, rows, columns, block_bytes) > 0,
        causal=source.causal,
        switches=switches,
        sinks=_sinks(source, layer, head, switches, columns.groups),
        window=None
        if whole
        else Window(rows.first, columns.first, rows.each, columns.each, (len(rows.groups), len(columns.groups))),
    )


def drawn_groups(
    cap: CapturedText, source: AttentionStack, switches: MapOptions
) -> tuple[list[list[int]], list[list[int]]]:
    """The tokens behind each row and each column of a map.

    Raises:
        ValueError: a part that there is not, or no token left.
    """
    part = switches.part
    if part not in PARTS:
        raise ValueError(f"unknown part '{part}': use {', '.join(PARTS)}")
    if part != "all" and cap.pair is None:
        raise ValueError(f"part {part} needs a second text")
    sides = []
    for tokens, letter in ((source.query_tokens, part[:1]), (source.key_tokens, part[-1:])):
        groups = word_groups(tokens) if switches.words else [[i] for i in range(len(tokens))]
        kept = [group for group in groups if switches.special or not tokens.special[group[0]]]
        if part != "all":
            kept = [group for group in kept if tokens.segment[group[0]] == "AB".index(letter)]
        if not kept:
            raise ValueError("only special tokens are left of this text: show special tokens")
        sides.append(kept)
    return sides[0], sides[1]


def map_labels(
    cap: CapturedText, stack: str | None = None, switches: MapOptions = AS_CAPTURED, region: Region = WHOLE
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the rows and the columns of a map are called, whichever head it is of.

    Raises:
        ValueError: a stack or part that there is not.
    """
    rows, columns = _axes(cap, cap.stack(stack), switches, region)
    return rows.labels, columns.labels


def _axes(cap: CapturedText, source: AttentionStack, switches: MapOptions, region: Region) -> tuple[_Axis, _Axis]:
    queries, keys = drawn_groups(cap, source, switches)
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
    """A map's cells out of what gives those of some queries, block of rows by block of rows."""
    count = -(-(rows.end - rows.first) // rows.each)
    found = []
    for block in row_blocks(count, 4 * rows.each * len(columns.tokens), block_bytes):
        queries = rows.drawn[block.start * rows.each : block.stop * rows.each]
        span = slice(queries[0][0], queries[-1][-1] + 1)
        local = [[token - span.start for token in group] for group in queries]
        cells = _gathered(read(span), local, columns.drawn, rows.words)
        found.append(_block_max(cells, rows.each, columns.each))
    return np.concatenate(found)


def _gathered(
    cells: np.ndarray, query_groups: list[list[int]], key_groups: list[list[int]], words: bool
) -> np.ndarray:
    """The rows and columns that are drawn, merged to words where they are words."""
    if words:
        return merge_words(cells.astype(np.float32), query_groups, key_groups)
    rows, columns = [g[0] for g in query_groups], [g[0] for g in key_groups]
    whole = len(rows) == cells.shape[0] and len(columns) == cells.shape[1]
    return cells if whole else cells[np.ix_(rows, columns)]


def _sinks(
    source: AttentionStack, layer: int, head: int, switches: MapOptions, columns: list[list[int]]
) -> tuple[Sink, ...]:
    """Where the head rests, by the columns of its map; of one head's own weights only."""
    if switches.aggregate != "head" or switches.norm:
        return ()
    column_of = {token: column for column, group in enumerate(columns) for token in group}
    return tuple(
        replace(sink, key=column_of[sink.key])
        for sink in attention_sinks(source, layer, head)
        if sink.key in column_of
    )


def coarse(drawn: HeadMap, most: int) -> HeadMap:
    """A whole map in at most ``most`` cells a side, each the largest weight of a block."""
    whole = drawn.weights.shape
    per_query, per_key = (-(-length // most) for length in whole)
    if per_query == per_key == 1:
        return drawn
    return replace(
        drawn,
        queries=_block_labels(drawn.queries, per_query),
        keys=_block_labels(drawn.keys, per_key),
        query_notes=_block_notes(drawn.query_notes, per_query),
        key_notes=_block_notes(drawn.key_notes, per_key),
        weights=_block_max(drawn.weights, per_query, per_key),
        allowed=_block_max(drawn.allowed, per_query, per_key),
        window=Window(0, 0, per_query, per_key, (whole[0], whole[1])),
    )


def _block_max(cells: np.ndarray, per_query: int, per_key: int) -> np.ndarray:
    for axis, size in ((0, per_query), (1, per_key)):
        if size > 1:
            starts = np.arange(0, cells.shape[axis], size)
            cells = np.maximum.reduceat(cells, starts, axis=axis)
    return cells


def _block_labels(labels: tuple[str, ...], size: int) -> tuple[str, ...]:
    if size == 1:
        return labels
    ends = [(labels[i], labels[min(i + size, len(labels)) - 1]) for i in range(0, len(labels), size)]
    return tuple(first if first == last else f"{first} … {last}" for first, last in ends)


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

    Of a cell of words, or of a coarse map's block, the two tokens that have most of the head's
    weight.

    Args:
        cap: the captured text.
        layer: counted from 0.
        head: counted from 0.
        stack: "encoder", "decoder" or "cross"; None means the only or first one.
        switches: how the map is read.
        region: which part of it is drawn, and how coarse.
        cell: where its middle is, in rows and columns of the whole map.
    """
    source = cap.stack(stack)
    axes = _axes(cap, source, switches, region)
    queries, keys = (axis.under(at) for axis, at in zip(axes, cell, strict=True))
    rows = source.attention(layer, head, slice(queries[0], queries[-1] + 1))
    weights = rows[np.ix_([query - queries[0] for query in queries], keys)]
    row, column = np.unravel_index(int(weights.argmax()), weights.shape)
    return queries[row], keys[column]
