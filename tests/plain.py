"""Captures worked by hand: tokens cut where the test says, weights as the test gives them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from explorer.records import Tokens
from explorer.text.tokens import numbered


def plain_tokens(
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


@dataclass(frozen=True)
class PlainStack:
    """A stack of given weights [L, H, Q, K]; masked ones are 0, as in a capture."""

    name: str
    causal: bool
    weights: np.ndarray
    mask: np.ndarray
    query_tokens: Tokens
    key_tokens: Tokens

    @property
    def n_layers(self) -> int:
        return self.weights.shape[0]

    @property
    def n_heads(self) -> int:
        return self.weights.shape[1]

    @property
    def n_kv_heads(self) -> int:
        return self.n_heads

    def attention(self, layer: int, head: int | None = None, rows: slice | None = None) -> np.ndarray:
        weights = self.weights[layer] if head is None else self.weights[layer, head]
        return np.where(self.mask, weights, 0)[..., rows or slice(None), :]

    def allowed(self, layer: int, rows: slice | None = None) -> np.ndarray:
        return self.mask[rows or slice(None)]


@dataclass(frozen=True)
class PlainCapture:
    """A capture of one such stack."""

    only: PlainStack
    model_name: str = "plain"
    revision: str | None = None
    pair: str | None = None

    @property
    def text(self) -> str:
        return self.only.query_tokens.texts[0]

    @property
    def stacks(self) -> tuple[str, ...]:
        return (self.only.name,)

    def stack(self, name: str | None = None) -> PlainStack:
        assert name in (None, self.only.name)
        return self.only

    def named(self, name: str) -> PlainCapture:
        return replace(self, model_name=name)


def plain_capture(
    queries: Tokens,
    weights: np.ndarray,
    mask: np.ndarray | None = None,
    causal: bool = False,
    keys: Tokens | None = None,
    name: str = "",
) -> PlainCapture:
    """A capture with these weights; without a mask every query sees every key."""
    mask = np.ones(weights.shape[2:], dtype=bool) if mask is None else mask
    name = name or ("decoder" if causal else "encoder")
    return PlainCapture(PlainStack(name, causal, weights, mask, queries, keys or queries))
