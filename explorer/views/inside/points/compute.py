"""Queries and keys of one head as points in one plane, with lines where weights are strong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.analysis.projection import fit_basis, place
from explorer.capture.loading import Progress
from explorer.records import (
    AttentionStack,
    Basis,
    BoolArray,
    CapturedText,
    FloatArray,
    HeadMaps,
    IntArray,
    Pair,
    QueryKeyPoints,
    TextPoints,
)
from explorer.records.source import Source, truncation
from explorer.records.spaces import MOST_PAIRS
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.points import MAX_TEXTS, PointsSettings

_OF_CHOSEN = 12
_NAMED = 3  # of each query's pairs
_ROWS = 256  # queries looked at together: a long text's weights never are all there
_LEAST_NAMED = 0.01


@dataclass(frozen=True)
class PointOptions:
    """How queries and keys are shown.

    Attributes:
        before: before rotation.
        align: with one vector added to all keys that brings their mean to the queries'. That adds
            one number to a query's every score, which the softmax takes out again (as Yeh et
            al. 2023, AttentionViz, do).
        drop_first: without each text's first token.
        least: the least weight of a pair that is drawn.
    """

    before: bool = False
    align: bool = False
    drop_first: bool = False
    least: float = 0.2


def texts_of(settings: PointsSettings) -> list[TextRequest]:
    """What is read: the page's text, then the further ones.

    Raises:
        ValueError: more texts than there are marks.
    """
    further = [line.strip() for line in settings.texts.splitlines() if line.strip()]
    if len(further) >= MAX_TEXTS:
        raise ValueError(f"{len(further)} further texts are too many: give at most {MAX_TEXTS - 1}, one a line")
    asked = settings.request
    return [asked, *(replace(asked, text=text, pair="", target="") for text in further)]


def compute(session: Session, settings: PointsSettings, progress: Progress | None = None) -> QueryKeyPoints:
    """The points of all texts.

    Raises:
        ValueError: a layer, head or stack that is not there, too many texts, or an unreadable one.
        ModelError: the model failed, was captured eagerly, or how it makes queries and keys is not known.
    """
    return session.get_or_compute(("points", settings), lambda: _points(session, settings, progress), progress)


def _points(session: Session, settings: PointsSettings, progress: Progress | None) -> QueryKeyPoints:
    requests, stack = texts_of(settings), settings.stack or None
    caps, maps = [], []
    for number, request in enumerate(requests):
        if progress:
            progress(f"reading text {number + 1} of {len(requests)}", number / len(requests))
        caps.append(session.capture(request, progress))
        if settings.rope == "before":
            maps.append(head_maps_of(session, request, stack, settings.layer, settings.head))
    before = any(one.rotated for one in maps)
    options = PointOptions(before, settings.align, not settings.first, settings.least)
    found = query_key_points(caps, settings.layer, settings.head, settings.query, stack, maps, options)
    if maps and not before:
        return replace(found, remarks=("this model does not rotate queries and keys: there is no before",))
    return found


def query_key_points(
    caps: Sequence[CapturedText],
    layer: int,
    head: int,
    query: int,
    stack: str | None = None,
    maps: Sequence[HeadMaps] | None = None,
    options: PointOptions | None = None,
) -> QueryKeyPoints:
    """Queries and keys of all texts in the PCA plane of both together.

    Args:
        caps: the texts, read by one model; the query is the first one's.
        layer: counted from 0.
        head: counted from 0.
        query: which token of the first text; one beyond its end means its last.
        stack: of which stack; None means the only one, or the first.
        maps: the head's maps on each text, for the vectors before rotation.
        options: how they are shown.

    Raises:
        ValueError: layer, head or stack out of range, or nothing left to show.
        ModelError: captured eagerly, so that queries and keys are not known.
    """
    options = options or PointOptions()
    sources = [cap.stack(stack) for cap in caps]
    first = int(options.drop_first)
    sides = _sides(sources, layer, head, maps if options.before else None, options)
    together = np.concatenate([side for pair in sides for side in pair])
    if not len(together):
        raise ValueError("without its first token there is none left: show it, or type more")
    basis = fit_basis(together, 2, "none", _owners(sources, first), advice=False)
    read = [_read(source, layer, head, number, sides[number], basis, first) for number, source in enumerate(sources)]
    texts = tuple(
        _text(cap.text, source, pair, basis, one, first)
        for cap, source, pair, one in zip(caps, sources, sides, read, strict=True)
    )
    query = min(max(query, 0), len(texts[0].queries) - 1)
    strong = sorted(
        (pair for one in read for pair in one.pairs if pair.weight >= options.least), key=lambda pair: -pair.weight
    )
    parts = sources[0].score_parts(layer, head, 0)
    return QueryKeyPoints(
        source=replace(Source.of(caps[0], stack), truncation=_truncation(sources)),
        stack=sources[0].name,
        layer=layer,
        head=head,
        kv_head=head // (sources[0].n_heads // sources[0].n_kv_heads),
        before=options.before,
        aligned=options.align,
        drop_first=options.drop_first,
        texts=texts,
        pairs=tuple(strong[:MOST_PAIRS]),
        least=options.least,
        query=query,
        chosen=_of_query(sources[0], layer, head, query, first),
        origin=place(basis, np.zeros(together.shape[1])),
        explained_variance=basis.explained_variance,
        agreement=_agreement(np.sum([one.products for one in read], axis=0)),
        shifts=parts.softcap is None and parts.sink is None,
        warnings=basis.warnings,
    )


def _truncation(sources: Sequence[AttentionStack]) -> str:
    """What of longer texts is shown; of several texts, which."""
    found = [truncation(source) for source in sources]
    if len(found) == 1:
        return found[0]
    told = (f"of text {number} {cut}" for number, cut in enumerate(found, start=1) if cut)
    return "; ".join(told)


def _sides(
    sources: Sequence[AttentionStack], layer: int, head: int, maps: Sequence[HeadMaps] | None, options: PointOptions
) -> list[tuple[FloatArray, FloatArray]]:
    """Each text's queries [Q, d] and keys [K, d] as they are to be placed."""
    vectors = (
        [(one.q_before, one.k_before) for one in maps]
        if maps
        else [(source.q(layer, head), source.k(layer, head)) for source in sources]
    )
    first = int(options.drop_first)
    sides: list[tuple[FloatArray, FloatArray]] = [
        (np.asarray(q, np.float64)[first:], np.asarray(k, np.float64)[first:]) for q, k in vectors
    ]
    queries, keys = (np.concatenate(side) for side in zip(*sides, strict=True))
    if not options.align or not len(queries) or not len(keys):
        return sides
    shift = queries.mean(axis=0) - keys.mean(axis=0)
    return [(q, k + shift) for q, k in sides]


def _owners(sources: Sequence[AttentionStack], first: int) -> list[str]:
    """Whose each row of the fit is, in words."""
    return [
        f"the {kind} of {label}"
        for source in sources
        for kind, side in (("query", source.query_tokens), ("key", source.key_tokens))
        for label in side.labels[first:]
    ]


@dataclass(frozen=True)
class _Reading:
    """What was seen of a text's weights [Q, K] on the way through them."""

    strongest: tuple[tuple[Pair, ...], ...]
    received: FloatArray
    pairs: tuple[Pair, ...]
    products: FloatArray


def _read(
    source: AttentionStack,
    layer: int,
    head: int,
    number: int,
    side: tuple[FloatArray, FloatArray],
    basis: Basis,
    first: int,
) -> _Reading:
    """Go through one text's weights, some queries at a time."""
    strongest: list[tuple[Pair, ...]] = [()] * len(source.query_tokens)
    kept: list[Pair] = []
    total = np.zeros(len(source.key_tokens))
    seen = np.zeros(len(source.key_tokens))
    products = np.zeros(3)
    for rows in _blocks(len(source.query_tokens)):
        weights = source.attention(layer, head, rows).astype(np.float64)
        allowed = source.allowed(layer, rows)
        total += weights.sum(axis=0)
        seen += allowed.sum(axis=0)
        weights[:, :first] = 0.0
        for row, places in enumerate(np.argsort(-weights, axis=1, kind="stable")[:, :_NAMED]):
            query = rows.start + row
            if query >= first:
                strongest[query] = _pairs(weights[row], places, number, query)
        flat = np.argsort(-weights, axis=None, kind="stable")[:MOST_PAIRS]
        for row, key in zip(*np.unravel_index(flat, weights.shape), strict=True):
            if rows.start + row >= first:
                kept += _pairs(weights[row], np.array([key]), number, rows.start + int(row))
        inside = slice(max(rows.start, first) - rows.start, None)
        queries = side[0][max(rows.start - first, 0) : max(rows.stop - first, 0)]
        products += _products(queries, side[1], basis, allowed[inside, first:])
    kept.sort(key=lambda pair: -pair.weight)
    received = total / np.maximum(seen, 1)
    return _Reading(tuple(strongest), received, tuple(kept[:MOST_PAIRS]), products)


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _ROWS):
        yield slice(start, min(start + _ROWS, count))


def _pairs(weights: FloatArray, places: IntArray, text: int, query: int) -> tuple[Pair, ...]:
    """A query's pairs with the keys at ``places``, but for those that are next to nothing."""
    return tuple(Pair(text, query, int(key), float(weights[key])) for key in places if weights[key] >= _LEAST_NAMED)


def _products(queries: FloatArray, keys: FloatArray, basis: Basis, allowed: BoolArray) -> FloatArray:
    """Sums of squares and products [3] of the dot products: full, in the plane, both."""
    if not len(queries) or not len(keys):
        return np.zeros(3)
    axes = basis.components.T
    count = np.maximum(allowed.sum(axis=1, keepdims=True), 1)

    def centred(scores: FloatArray) -> FloatArray:
        mean = np.where(allowed, scores, 0.0).sum(axis=1, keepdims=True) / count
        return np.where(allowed, scores - mean, 0.0)

    full, flat = centred(queries @ keys.T), centred((queries @ axes) @ (keys @ axes).T)
    return np.array([(full**2).sum(), (flat**2).sum(), (full * flat).sum()])


def _agreement(products: FloatArray) -> float:
    full, flat, both = products.tolist()
    return both / math.sqrt(full * flat) if full > 0 and flat > 0 else math.nan


def _text(
    text: str, source: AttentionStack, side: tuple[FloatArray, FloatArray], basis: Basis, read: _Reading, first: int
) -> TextPoints:
    left_out = np.full((first, 2), np.nan)
    query_points, key_points = (np.concatenate([left_out, place(basis, one)]) for one in side)
    return TextPoints(
        text,
        source.query_tokens.labels,
        source.key_tokens.labels,
        query_points,
        key_points,
        read.strongest,
        read.received,
    )


def _of_query(source: AttentionStack, layer: int, head: int, query: int, first: int) -> tuple[Pair, ...]:
    """The chosen query's strongest pairs."""
    if query < first:
        return ()
    weights = source.attention(layer, head, slice(query, query + 1))[0].astype(np.float64)
    weights[:first] = 0.0
    return _pairs(weights, np.argsort(-weights, kind="stable")[:_OF_CHOSEN], 0, query)
