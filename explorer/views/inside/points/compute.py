"""Queries and keys of one head as points in one plane, with lines where weights are large."""

from __future__ import annotations

import math
from collections.abc import Sequence
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

_OF_CHOSEN = 12  # strongest pairs of the chosen query
_OF_EACH = 3  # strongest pairs of every query
_ROWS = 256  # queries per block: a long text's weights are never all in memory
_LEAST_NAMED = 0.01


def texts_of(settings: PointsSettings) -> list[TextRequest]:
    """The texts to read: the page's own, then the further ones.

    Raises:
        ValueError: more texts than there are marks.
    """
    further = [line.strip() for line in settings.texts.splitlines() if line.strip()]
    if len(further) >= MAX_TEXTS:
        raise ValueError(f"{len(further)} further texts are too many: give at most {MAX_TEXTS - 1}, one a line")
    own = settings.request
    return [own, *(replace(own, text=text, pair="", target="") for text in further)]


def compute(session: Session, settings: PointsSettings, progress: Progress | None = None) -> QueryKeyPoints:
    """The points of all texts, computed once."""
    return session.get_or_compute(("points", settings), lambda: _points(session, settings, progress), progress)


def _points(session: Session, settings: PointsSettings, progress: Progress | None) -> QueryKeyPoints:
    requests = texts_of(settings)
    caps, maps = [], []
    for number, request in enumerate(requests):
        if progress:
            progress(f"reading text {number + 1} of {len(requests)}", number / len(requests))
        caps.append(session.capture(request, progress))
        if settings.rope == "before":
            maps.append(head_maps_of(session, request, settings.stack or None, settings.layer, settings.head))
    return query_key_points(caps, settings, maps)


def query_key_points(
    caps: Sequence[CapturedText], settings: PointsSettings, maps: Sequence[HeadMaps] = ()
) -> QueryKeyPoints:
    """Queries and keys of all texts in the PCA plane of both together.

    ``settings.align`` adds one vector to all keys. That adds one number to every score of a query,
    which the softmax cancels (Yeh et al. 2023, AttentionViz).

    Args:
        caps: the texts, read by one model; the query is one of the first text's, its last at most.
        settings: the head, the query, and how the points are placed.
        maps: the head's maps on each text, for the vectors before rotation.

    Raises:
        ValueError: layer, head or stack out of range, or no token left.
        ModelError: captured eagerly, so that queries and keys are not known.
    """
    layer, head, first = settings.layer, settings.head, settings.n_dropped
    sources = [cap.stack(settings.stack or None) for cap in caps]
    source = sources[0]
    before = settings.rope == "before" and any(one.rotated for one in maps)
    sides = _sides(sources, settings, maps if before else ())
    vectors = np.concatenate([side for pair in sides for side in pair])
    if not len(vectors):
        raise ValueError("without its first token there is none left: show it, or type more")
    basis = fit_basis(vectors, 2, "none", _row_names(sources, first), advice=False)
    scans = [_scan(one, settings, number, sides[number], basis) for number, one in enumerate(sources)]
    left_out = np.full((first, 2), np.nan)
    query = min(max(settings.query, 0), len(source.query_tokens) - 1)
    pairs = [pair for scan in scans for pair in scan.pairs if pair.weight >= settings.least]
    full, flat, both = np.sum([scan.products for scan in scans], axis=0).tolist()
    parts = source.score_parts(layer, head, 0)
    unrotated = settings.rope == "before" and not before
    return QueryKeyPoints(
        source=replace(Source.of(caps[0], settings.stack or None), truncation=_truncation(sources)),
        stack=source.name,
        layer=layer,
        head=head,
        kv_head=head // (source.n_heads // source.n_kv_heads),
        before=before,
        aligned=settings.align,
        drop_first=not settings.first,
        texts=tuple(
            TextPoints(
                cap.text,
                one.query_tokens.labels,
                one.key_tokens.labels,
                np.concatenate([left_out, place(basis, q)]),
                np.concatenate([left_out, place(basis, k)]),
                scan.strongest,
                scan.received,
            )
            for cap, one, (q, k), scan in zip(caps, sources, sides, scans, strict=True)
        ),
        pairs=tuple(sorted(pairs, key=lambda pair: -pair.weight)[:MOST_PAIRS]),
        least=settings.least,
        query=query,
        chosen=_of_query(source, settings, query),
        origin=place(basis, np.zeros(vectors.shape[1])),
        explained_variance=basis.explained_variance,
        agreement=both / math.sqrt(full * flat) if full > 0 and flat > 0 else math.nan,
        shifts=parts.softcap is None and parts.sink is None,
        warnings=basis.warnings,
        remarks=("this model does not rotate queries and keys: there is no before",) if unrotated else (),
    )


def _truncation(sources: Sequence[AttentionStack]) -> str:
    """Which part of longer texts is read; of several texts, which."""
    parts = [truncation(source) for source in sources]
    if len(parts) == 1:
        return parts[0]
    return "; ".join(f"of text {number} {part}" for number, part in enumerate(parts, start=1) if part)


def _sides(
    sources: Sequence[AttentionStack], settings: PointsSettings, maps: Sequence[HeadMaps]
) -> list[tuple[FloatArray, FloatArray]]:
    """Each text's queries [Q, d] and keys [K, d] as they are to be placed, without dropped tokens."""
    vectors = [(one.q_before, one.k_before) for one in maps] or [
        (source.q(settings.layer, settings.head), source.k(settings.layer, settings.head)) for source in sources
    ]
    first = settings.n_dropped
    sides: list[tuple[FloatArray, FloatArray]] = [
        (np.asarray(q, np.float64)[first:], np.asarray(k, np.float64)[first:]) for q, k in vectors
    ]
    queries, keys = (np.concatenate(side) for side in zip(*sides, strict=True))
    if not settings.align or not len(queries) or not len(keys):
        return sides
    shift = queries.mean(axis=0) - keys.mean(axis=0)
    return [(q, k + shift) for q, k in sides]


def _row_names(sources: Sequence[AttentionStack], first: int) -> list[str]:
    """What each row of the fit is, in words."""
    return [
        f"the {kind} of {label}"
        for source in sources
        for kind, side in (("query", source.query_tokens), ("key", source.key_tokens))
        for label in side.labels[first:]
    ]


@dataclass(frozen=True)
class _Scan:
    """What one pass over a text's weights [Q, K] finds; the fields as in ``TextPoints``."""

    strongest: tuple[tuple[Pair, ...], ...]
    received: FloatArray
    pairs: tuple[Pair, ...]
    products: FloatArray


def _scan(
    source: AttentionStack, settings: PointsSettings, number: int, side: tuple[FloatArray, FloatArray], basis: Basis
) -> _Scan:
    """Go through one text's weights, a block of queries at a time."""
    n_queries, first = len(source.query_tokens), settings.n_dropped
    strongest: list[tuple[Pair, ...]] = [()] * n_queries
    pairs: list[Pair] = []
    total, seen = np.zeros(len(source.key_tokens)), np.zeros(len(source.key_tokens))
    products = np.zeros(3)
    for start in range(0, n_queries, _ROWS):
        rows = slice(start, min(start + _ROWS, n_queries))
        weights = source.attention(settings.layer, settings.head, rows).astype(np.float64)
        allowed = source.allowed(settings.layer, rows)
        total += weights.sum(axis=0)
        seen += allowed.sum(axis=0)
        weights[:, :first] = 0.0
        for row, keys in enumerate(np.argsort(-weights, axis=1, kind="stable")[:, :_OF_EACH]):
            if start + row >= first:
                strongest[start + row] = _pairs(weights[row], keys, number, start + row)
        flat = np.argsort(-weights, axis=None, kind="stable")[:MOST_PAIRS]
        for row, key in zip(*np.unravel_index(flat, weights.shape), strict=True):
            if start + row >= first:
                pairs += _pairs(weights[row], np.array([key]), number, start + int(row))
        queries = side[0][max(start - first, 0) : max(rows.stop - first, 0)]
        products += _products(queries, side[1], basis, allowed[max(first - start, 0) :, first:])
    pairs.sort(key=lambda pair: -pair.weight)
    return _Scan(tuple(strongest), total / np.maximum(seen, 1), tuple(pairs[:MOST_PAIRS]), products)


def _pairs(weights: FloatArray, keys: IntArray, text: int, query: int) -> tuple[Pair, ...]:
    """A query's pairs with these keys, without negligible weights."""
    return tuple(Pair(text, query, int(key), float(weights[key])) for key in keys if weights[key] >= _LEAST_NAMED)


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


def _of_query(source: AttentionStack, settings: PointsSettings, query: int) -> tuple[Pair, ...]:
    """The chosen query's strongest pairs."""
    if query < settings.n_dropped:
        return ()
    rows = slice(query, query + 1)
    weights = source.attention(settings.layer, settings.head, rows)[0].astype(np.float64)
    weights[: settings.n_dropped] = 0.0
    return _pairs(weights, np.argsort(-weights, kind="stable")[:_OF_CHOSEN], 0, query)
