"""What is shown and saved of the inside of a head: one query's row, step by step, and its maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.records.source import Source
from explorer.records.text import FloatArray, ScoreParts


@dataclass(frozen=True)
class QueryRow:
    """One query of one head, from q·k to what it adds to the residual stream.

    All keys K are here; what the mask forbids has a weight of 0 and no ``exponentials``.

    Attributes:
        query: which token attends.
        labels: the keys' labels [K], the query's own in ``query_label``.
        q, k, v: the vectors the scores and the output are made of: [d], [K, d], [K, d_v]; k
            and v are those of key/value head ``kv_head``.
        q_before, k_before: the same before rotation; None where nothing is rotated, or the
            projections are not known.
        products: q·k [K].
        scaled: what goes into the softmax [K]: q·k·scale, soft-capped, with the bias.
        exponentials: e to the power of scaled, less the largest allowed [K]; NaN where forbidden.
        sink_exponential: the same of the learned sink; 0 without.
        weights: exponentials over their sum [K].
        value_lengths: ‖v‖ [K].
        contributions: ‖A·v·W_O‖, the length of what a key adds to the residual stream [K].
        output: Σ A·v [d_v].
        added: what the head adds to the residual stream, Σ A·v·W_O [D].
        error: the largest difference of ``weights`` from the captured attention.
    """

    source: Source
    stack: str
    layer: int
    head: int
    kv_head: int
    query: int
    query_label: str
    labels: tuple[str, ...]
    parts: ScoreParts
    q: FloatArray
    k: FloatArray
    v: FloatArray
    q_before: FloatArray | None
    k_before: FloatArray | None
    products: FloatArray
    scaled: FloatArray
    exponentials: FloatArray
    sink_exponential: float
    weights: FloatArray
    value_lengths: FloatArray
    contributions: FloatArray
    output: FloatArray
    added: FloatArray
    error: float

    @property
    def d_head(self) -> int:
        """Dimensions of a query and a key."""
        return len(self.q)


@dataclass(frozen=True)
class LinearMap:
    """x ↦ x·weight + bias: ``weight`` [D, d], ``bias`` [d], zeros where it has none."""

    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class HeadMaps:
    """How a head makes queries, keys and values out of what its layer is given.

    Attributes:
        queries, keys: labels [Q] and [K].
        given_queries, given_keys: what the layer's attention is given, after any norm before it
            [Q, D] and [K, D]; the encoder's states for the keys of cross attention.
        query, key, value: the head's three linear maps; key and value of its key/value head.
        q_before, k_before: what the maps give [Q, d], [K, d], normalised where the model
            normalises queries and keys, and multiplied by a number where it does that; not yet
            rotated.
        q, k, v: what the head uses [Q, d], [K, d], [K, d_v].
        normalised: whether queries and keys are normalised after their maps.
        rotated: whether they are turned by their positions after that.
    """

    model: str
    stack: str
    layer: int
    head: int
    kv_head: int
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    given_queries: FloatArray
    given_keys: FloatArray
    query: LinearMap
    key: LinearMap
    value: LinearMap
    q_before: FloatArray
    k_before: FloatArray
    q: FloatArray
    k: FloatArray
    v: FloatArray
    normalised: bool
    rotated: bool


@dataclass(frozen=True)
class HeadOutputs:
    """What each head of a layer adds to one token, and how they make the block's output.

    Attributes:
        query: which token, ``query_label`` its label.
        added: Σ A·v·W_O of each head [H, D].
        bias: the output projection's bias [D].
        mixed: Σ A·v of each head side by side, as W_O is given them [H, d_v].
        output: what the model's own output projection makes of ``mixed`` [D].
    """

    source: Source
    stack: str
    layer: int
    query: int
    query_label: str
    added: FloatArray
    bias: FloatArray
    mixed: FloatArray
    output: FloatArray

    @property
    def error(self) -> float:
        """How far the heads' sum and the bias are from ``output``, relative to its length."""
        miss = np.linalg.norm(self.added.sum(axis=0) + self.bias - self.output)
        return float(miss / (np.linalg.norm(self.output) or 1.0))


@dataclass(frozen=True)
class RightContext:
    """How a token's vector changes with what comes after it.

    ``cosines`` [L+1] are between its residual stream with the whole text and with the text cut
    after it; 1 where nothing later acts on it.
    """

    source: Source
    label: str
    causal: bool
    cosines: FloatArray
