"""The inside of a head: one query's row step by step, and the head's linear maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.records.source import Source
from explorer.records.text import FloatArray, ScoreParts


@dataclass(frozen=True)
class QueryRow:
    """One query of one head, from q·k to its addition to the residual stream.

    All keys K are included; masked keys have a weight of 0 and no ``exponentials``.
    """

    source: Source
    stack: str
    layer: int
    head: int
    kv_head: int
    query: int  # index of the token that attends
    query_label: str
    labels: tuple[str, ...]  # of the keys [K]
    parts: ScoreParts
    q: FloatArray  # [d]
    k: FloatArray  # [K, d], of key/value head ``kv_head``
    v: FloatArray  # [K, d_v], of key/value head ``kv_head``
    q_before: FloatArray | None  # q before rotation; None without rotation, or where the projections are not known
    k_before: FloatArray | None  # k before rotation, likewise
    products: FloatArray  # q·k [K]
    scaled: FloatArray  # input of the softmax [K]: q·k·scale, soft-capped, with the bias
    exponentials: FloatArray  # exp(scaled − largest allowed) [K]; NaN where masked
    sink_exponential: float  # the same for the learned sink; 0 without
    weights: FloatArray  # exponentials over their sum [K]
    value_lengths: FloatArray  # ‖v‖ [K]
    contributions: FloatArray  # ‖A·v·W_O‖, norm of each key's addition to the residual stream [K]
    output: FloatArray  # Σ A·v [d_v]
    added: FloatArray  # the head's addition to the residual stream, Σ A·v·W_O [D]
    error: float  # largest difference of ``weights`` from the captured attention

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
    """A head's linear maps from its layer's input to queries, keys and values.

    ``q_before`` and ``k_before`` are outputs of the maps, normalised and multiplied by a factor where
    the model does so, but not yet rotated.
    """

    model: str
    stack: str
    layer: int
    head: int
    kv_head: int
    queries: tuple[str, ...]  # labels [Q]
    keys: tuple[str, ...]  # labels [K]
    given_queries: FloatArray  # input of the layer's attention, after any norm before it [Q, D]
    given_keys: FloatArray  # the same for keys [K, D]; in cross attention the encoder's states
    query: LinearMap
    key: LinearMap  # of its key/value head
    value: LinearMap  # of its key/value head
    q_before: FloatArray  # [Q, d]
    k_before: FloatArray  # [K, d]
    q: FloatArray  # queries that the head uses [Q, d]
    k: FloatArray  # keys that the head uses [K, d]
    v: FloatArray  # [K, d_v]
    normalised: bool  # whether queries and keys are normalised after their maps
    rotated: bool  # whether they are then rotated by their positions


@dataclass(frozen=True)
class HeadOutputs:
    """Each head's contribution to one token, and their sum in the block's output."""

    source: Source
    stack: str
    layer: int
    query: int  # index of the token
    query_label: str
    added: FloatArray  # Σ A·v·W_O of each head [H, D]
    bias: FloatArray  # of the output projection [D]
    mixed: FloatArray  # Σ A·v of each head, the input of W_O [H, d_v]
    output: FloatArray  # the model's own output projection of ``mixed`` [D]

    @property
    def error(self) -> float:
        """Norm of the difference of the heads' sum and bias from ``output``, relative to its norm."""
        miss = np.linalg.norm(self.added.sum(axis=0) + self.bias - self.output)
        return float(miss / (np.linalg.norm(self.output) or 1.0))


@dataclass(frozen=True)
class RightContext:
    """How a token's vector changes with the text after it.

    ``cosines`` [L+1] compare its residual stream in the whole text with that in the text cut
    after it; 1 where later tokens have no effect.
    """

    source: Source
    label: str
    causal: bool
    cosines: FloatArray
