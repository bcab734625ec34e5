"""Captures made by hand: small enough to work out every answer on paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from explorer.records import ANY_PLACE, StudyOptions, Tokens, WordStudy
from explorer.text.tokens import numbered
from explorer.views.embeddings.study import word_study


def tokens(text: str, *pieces: str | tuple[str, int, int], labels: tuple[str, ...] | None = None) -> Tokens:
    """Tokens of one text; ``[X]`` is a special one, others stand in the text in this order."""
    cursor, spans, names = 0, [], []
    for piece in pieces:
        if isinstance(piece, tuple):
            name, start, end = piece
            cursor = end
        elif piece.startswith("["):
            name, start, end = piece, 0, 0
        else:
            name, start = piece, text.index(piece, cursor)
            end = cursor = start + len(piece)
        names.append(name)
        spans.append((start, end))
    special = np.array([name.startswith("[") for name in names])
    return Tokens(
        ids=np.arange(len(names)),
        labels=labels or tuple(names),
        offsets=np.array(spans).reshape(-1, 2),
        special=special,
        segment=np.where(special, -1, 0),
        notes=("",) * len(names),
        texts=(text,),
    )


def word_tokens(
    text: str,
    pieces: list[tuple[int, int]] | None = None,
    begin: str | None = None,
    end: str | None = None,
    lower: bool = False,
) -> Tokens:
    """Tokens of a text: one a word, or at the given characters, special ones around them."""
    if pieces is None:
        starts = [i for i, c in enumerate(text) if c != " " and (i == 0 or text[i - 1] == " ")]
        pieces = [(start, start + len(text[start:].split(" ")[0])) for start in starts]
    labels = [text[a:b].lower() if lower else text[a:b] for a, b in pieces]
    special = [False] * len(labels)
    places = list(pieces)
    for label, where in ((begin, 0), (end, len(labels) + 1)):
        if label is not None:
            labels.insert(where, label)
            special.insert(where, True)
            places.insert(where, (0, 0))
    return Tokens(
        ids=np.arange(len(labels)),
        labels=numbered(labels, special),
        offsets=np.array(places),
        special=np.array(special),
        segment=np.where(special, -1, 0),
        notes=("",) * len(labels),
        texts=(text,),
    )


def paired(first: Tokens, second: Tokens) -> Tokens:
    """Two texts one after the other, as an encoder reads a pair."""
    return Tokens(
        ids=np.concatenate([first.ids, second.ids]),
        labels=first.labels + second.labels,
        offsets=np.concatenate([first.offsets, second.offsets]),
        special=np.concatenate([first.special, second.special]),
        segment=np.concatenate([first.segment, np.where(second.special, -1, 1)]),
        notes=first.notes + second.notes,
        texts=first.texts + second.texts,
    )


@dataclass
class HandStack:
    """What ``AttentionStack`` asks for, from arrays: ``weights`` [L, H, Q, K].

    Without a mask [Q, K] a query sees every key, or in a causal stack those up to its own; where a
    mask forbids, the weight is 0, as in a capture.
    """

    query_tokens: Tokens
    key_tokens: Tokens
    weights: np.ndarray
    hidden: np.ndarray | None = None
    static: np.ndarray | None = None
    causal: bool = False
    name: str = "encoder"
    mask: np.ndarray | None = None

    @property
    def n_layers(self) -> int:
        return self.weights.shape[0]

    @property
    def n_heads(self) -> int:
        return self.weights.shape[1]

    n_kv_heads = n_heads

    def attention(self, layer: int, head: int | None = None, rows: slice | None = None) -> np.ndarray:
        weights = self.weights[layer] if head is None else self.weights[layer, head]
        if self.mask is not None:
            weights = np.where(self.mask, weights, 0)
        return weights[..., rows or slice(None), :]

    def allowed(self, layer: int, rows: slice | None = None) -> np.ndarray:
        whole = self.mask
        if whole is None:
            shape = self.weights.shape[2:]
            whole = np.tri(*shape, dtype=bool) if self.causal else np.ones(shape, dtype=bool)
        return whole[rows or slice(None)]


@dataclass
class HandCapture:
    """What ``CapturedText`` asks for, around one stack."""

    only: HandStack
    text: str
    pair: str | None = None
    model_name: str = "by hand"
    revision: str | None = None

    @property
    def stacks(self) -> tuple[str, ...]:
        return (self.only.name,)

    def stack(self, name: str | None = None) -> HandStack:
        assert name in (None, self.only.name)
        return self.only


def masked_capture(
    queries: Tokens,
    weights: np.ndarray,
    mask: np.ndarray | None = None,
    causal: bool = False,
    keys: Tokens | None = None,
    name: str = "",
) -> HandCapture:
    """A capture with these weights [L, H, Q, K]; without a mask every query sees every key."""
    mask = np.ones(weights.shape[2:], dtype=bool) if mask is None else mask
    name = name or ("decoder" if causal else "encoder")
    stack = HandStack(queries, keys or queries, weights, causal=causal, name=name, mask=mask)
    return HandCapture(stack, queries.texts[0])


def reading(
    of: Tokens,
    weights: np.ndarray,
    causal: bool = False,
    hidden: np.ndarray | None = None,
    static: np.ndarray | None = None,
) -> HandCapture:
    """A capture of one layer and one head with these weights [N, N]."""
    stack = HandStack(of, of, np.asarray(weights)[None, None], hidden, static, causal)
    return HandCapture(stack, of.texts[0])


def studied(
    captures: Iterable[HandCapture], senses: Iterable[str], word: str, options: StudyOptions = ANY_PLACE
) -> WordStudy:
    """A word study of captures that are there already."""
    made = list(captures)
    waiting = iter(made)
    rows = [(sense, cap.text) for sense, cap in zip(senses, made, strict=True)]
    return word_study(lambda _sentence: next(waiting), rows, word, options)


def with_ids(of: Tokens, *ids: int) -> Tokens:
    return replace(of, ids=np.array(ids))


# [CLS] the , the
TOKENS = with_ids(tokens("the, the", "[CLS]", "the", ",", "the"), 7, 1, 2, 1)
BOTH_WAYS = np.array(
    [[1.00, 0.00, 0.00, 0.00], [0.50, 0.50, 0.00, 0.00], [0.25, 0.25, 0.25, 0.25], [0.00, 0.50, 0.25, 0.25]]
)
LEFT_TO_RIGHT = np.array(
    [
        [1.000, 0.000, 0.000, 0.000],
        [0.500, 0.500, 0.000, 0.000],
        [0.250, 0.250, 0.500, 0.000],
        [0.125, 0.125, 0.250, 0.500],
    ]
)


def by_hand(weights: np.ndarray, of: Tokens = TOKENS, causal: bool = False) -> HandCapture:
    """A capture of given weights [Q, K], or [L, H, Q, K]."""
    weights = np.asarray(weights, dtype=np.float32)
    weights = weights if weights.ndim == 4 else weights[None, None]
    return HandCapture(HandStack(of, of, weights, causal=causal), of.texts[0])


def random_weights(n_layers: int, n_heads: int, n: int, causal: bool, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    weights = draw.exponential(size=(n_layers, n_heads, n, n)) ** 3
    weights = np.tril(weights) if causal else weights
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def repeating(n: int, seed: int = 0) -> Tokens:
    text = " ".join("abcdefgh,."[i] for i in np.random.default_rng(seed).integers(10, size=n))
    of = tokens(text, *text.split())
    return replace(of, ids=np.array([ord(label) for label in of.labels]))
