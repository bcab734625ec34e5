"""All heads of a stack at once: their small maps, and their weights between two tokens."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures import MEASURES
from explorer.analysis.measures.blocks import BLOCK_BYTES, Progress, row_blocks
from explorer.records import AllHeads, AttentionStack, CapturedText, FloatArray, HeadNumbers, HeadsOverview, IntArray
from explorer.records.source import Source
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.measured import measures_of
from explorer.views.heads.overview import OverviewSettings
from explorer.views.heads.page import LINK, MAPS

TILE = 28  # cells a side of a small map


def link_weights(cap: CapturedText, query: int, key: int, stack: str | None = None) -> FloatArray:
    """How much each head links two tokens: A[query, key] of all heads [L, H].

    Raises:
        ValueError: a token the text does not have.
    """
    source = cap.stack(stack)
    for name, index, tokens in (("query", query, source.query_tokens), ("key", key, source.key_tokens)):
        if not 0 <= index < len(tokens):
            raise ValueError(f"{name} {index} is out of range: there are {len(tokens)} tokens")
    rows = slice(query, query + 1)
    return np.stack([source.attention(layer, rows=rows)[:, 0, key] for layer in range(source.n_layers)])


def link_numbers(cap: CapturedText, query: int, key: int, stack: str | None = None) -> HeadNumbers:
    """``link_weights``, named after the two tokens."""
    values, source = link_weights(cap, query, key, stack), cap.stack(stack)
    name = f"{source.query_tokens.labels[query]} → {source.key_tokens.labels[key]}"
    return HeadNumbers(values, name, "attention weight")


def distinct_cells(overview: HeadsOverview) -> tuple[FloatArray, IntArray, IntArray]:
    """The small maps without cells that a short text repeats: [L, H, q, k].

    With them come the first token of each row [q] and each column [k].
    """
    tile = overview.tiles.shape[-1]
    tiles, starts = overview.tiles, []
    for axis, length in ((2, overview.whole[0]), (3, overview.whole[1])):
        count = min(length, tile)
        repeated = np.arange(tile) * count // tile
        tiles = np.take(tiles, np.searchsorted(repeated, np.arange(count)), axis=axis)
        starts.append(_starts(length, tile))
    return tiles, starts[0], starts[1]


def heads_overview(
    cap: CapturedText,
    stack: str | None = None,
    tile: int = TILE,
    progress: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> HeadsOverview:
    """Every head of a stack as a small map of ``tile`` × ``tile`` cells, for one figure of all.

    A map larger than its tile is pooled by maximum, so that a stripe one token wide stays
    visible; each is scaled by its own largest weight, and its square root is taken, so that
    faint patterns show beside a strong one. At most ``block_bytes`` of a layer's attention are in
    memory at a time.

    Raises:
        ValueError: the capture has no stack of that name.
    """
    source = cap.stack(stack)
    tiles = []
    for layer in range(source.n_layers):
        if progress is not None:
            progress("drawing every head", layer / source.n_layers)
        tiles.append(_tiles(source, layer, tile, block_bytes))
    size = len(source.query_tokens), len(source.key_tokens)
    return HeadsOverview(cap.model_name, source.name, source.causal, np.stack(tiles), size)


def _tiles(source: AttentionStack, layer: int, tile: int, block_bytes: int) -> FloatArray:
    """A layer's maps as [H, tile, tile] in 0…1."""
    n_queries, n_keys = len(source.query_tokens), len(source.key_tokens)
    starts = _starts(n_queries, tile)
    ends = np.append(starts[1:], n_queries)
    columns = _starts(n_keys, tile)
    row_bytes = 4 * source.n_heads * n_keys * -(-n_queries // len(starts))
    pooled = []
    for block in row_blocks(len(starts), row_bytes, block_bytes):
        first, end = int(starts[block][0]), int(ends[block][-1])
        weights = source.attention(layer, rows=slice(first, end))
        rows = np.maximum.reduceat(weights, starts[block] - first, axis=1)
        pooled.append(np.maximum.reduceat(rows, columns, axis=2))
    maps = _spread(_spread(np.concatenate(pooled, axis=1), tile, axis=1), tile, axis=2)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return np.sqrt(maps / np.where(largest > 0, largest, 1.0))


def _starts(length: int, size: int) -> IntArray:
    """The first token of each cell: as many cells as tokens, at most ``size``."""
    count = min(length, size)
    return np.arange(count) * length // count


def _spread(maps: FloatArray, size: int, axis: int) -> FloatArray:
    """Each token's cell several times, if there are fewer tokens than cells."""
    return np.take(maps, np.arange(size) * maps.shape[axis] // size, axis=axis)


def overview_of(
    session: Session, request: TextRequest, stack: str | None, progress: Progress | None = None
) -> HeadsOverview:
    """Every head of a text as a small map, computed once; of the first stack if it has none of that name."""
    progress, request = progress or session.progress, session.read_of(request, progress)
    cap = session.capture(request, progress)
    name = stack if stack in cap.stacks else cap.stacks[0]
    return session.get_or_compute(
        ("overview", request, name), lambda: heads_overview(cap, name, progress=progress), progress
    )


def compute(session: Session, settings: OverviewSettings, progress: Progress | None = None) -> AllHeads:
    """The picture of all heads of a text.

    Raises:
        ValueError: an unknown value of ``show``, token or stack.
        ModelError: the model cannot be loaded or failed.
    """
    cap = session.capture(settings.request, progress)
    stack = cap.stack(settings.stack or None)
    return AllHeads(
        Source.of(cap, stack.name),
        stack.name,
        stack.causal,
        stack.query_tokens.labels,
        stack.key_tokens.labels,
        overview_of(session, settings.request, stack.name, progress),
        numbers_of(session, settings, progress),
        settings.show,
    )


def numbers_of(session: Session, settings: OverviewSettings, progress: Progress | None = None) -> HeadNumbers | None:
    """The number that is shown for each head, or None if its map is shown.

    Raises:
        ValueError: an unknown value of ``show``, or an unknown token.
        ModelError: the model cannot be loaded or failed.
    """
    cap = session.capture(settings.request, progress)
    if settings.show == LINK:
        return chosen_link(cap, settings.query, settings.key, settings.stack)
    if settings.show in MEASURES:
        stack, measure = cap.stack(settings.stack or None).name, MEASURES[settings.show]
        values = measures_of(session, settings.request, stack, progress)[settings.show]
        return HeadNumbers(values, measure.title, measure.unit)
    if settings.show != MAPS:
        raise ValueError(f"nothing is called '{settings.show[:40]}': use {', '.join([MAPS, LINK, *MEASURES])}")
    return None


def chosen_link(cap: CapturedText, query: str, key: str, stack: str) -> HeadNumbers | None:
    """How much each head links the two chosen tokens; None unless both are chosen.

    Raises:
        ValueError: a token that is not a number, or that the text does not have.
    """
    if not (query and key):
        return None
    for name, value in (("query", query), ("key", key)):
        if not value.isdecimal():
            raise ValueError(f"{name}={value[:40]} is not a token: give its number, counted from 0")
    return link_numbers(cap, int(query), int(key), stack or None)
