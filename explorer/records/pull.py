"""A head's pull on a word: every token's contribution to it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.source import Source
from explorer.records.text import BoolArray, FloatArray
from explorer.records.words import Occurrence

# Kinds of an arrow's token, in the order of the colours.
KINDS = ("the word itself", "other words", "punctuation", "special tokens", "first token")
BIAS = "output bias"


@dataclass(frozen=True)
class Pull:
    """Contribution of every token to one occurrence of a word in a layer's attention.

    The word's pieces are the queries; weights and vectors of several are averaged, as the word's
    own vector is their mean.
    """

    source: Source
    occurrence: Occurrence
    layer: int  # of the attention, which reads ``hidden[layer]``
    head: int | None  # None for the layer's heads together with the output bias
    labels: tuple[str, ...]  # of the sentence's tokens [K]
    kinds: tuple[str, ...]  # one of ``KINDS`` for each token [K]
    allowed: BoolArray  # whether the word may see each token [K]
    weights: FloatArray  # on each token [K]; mean over heads together
    value_norms: FloatArray  # ‖v W_O‖ of each token [K]; NaN for heads together
    contributions: FloatArray  # A·v·W_O of each token [K, D]; summed over heads together
    bias: FloatArray  # output bias [D]
    heads: FloatArray  # output of each head of the layer [H, D]
    before: FloatArray  # the word's vector that the block reads [D]
    residual: str  # how the sum joins it: "pre", "post", "inner", "parallel" or "unknown"

    @property
    def total(self) -> FloatArray:
        """Sum of all arrows [D]: output of the head, or of the whole attention."""
        total: FloatArray = self.contributions.sum(axis=0)
        return total + self.bias if self.head is None else total

    @property
    def attention(self) -> FloatArray:
        """Output of the layer's attention with all heads and the bias [D]."""
        output: FloatArray = self.heads.sum(axis=0) + self.bias
        return output


@dataclass(frozen=True)
class Arrow:
    """One vector of a pull, in the plane and in the full space."""

    label: str  # of a token, the output bias or the sum
    kind: str  # one of ``KINDS``, ``BIAS`` or "the sum"
    weight: float | None  # attention weight on the token; None for the bias and the sum
    value_norm: float | None  # ‖v W_O‖; None where undefined
    length: float  # in the full space
    # Share of the length (after standardisation, if any) that the plane shows, 0…1; None for a length of 0.
    seen: float | None
    cosine: float | None  # with the sum, in the full space; None where one of the two is 0
    share: float | None  # of the sum, along it, in the full space; all arrows' shares add up to 1
    x: float  # component on the plane's first axis, which has length 1
    y: float  # component on the second axis, orthogonal to the first


@dataclass(frozen=True)
class PullPlane:
    """A pull as arrows in the plane of a word study."""

    points: FloatArray  # of the word's occurrences [n, 2]
    static: FloatArray  # of their static vectors [n, 2]
    place: int  # index of the occurrence that is pulled
    arrows: tuple[Arrow, ...]  # one per token, and the output bias for heads together; strongest first
    total: Arrow  # their sum
    attention: Arrow  # output of all heads and the bias
    heads: FloatArray  # norm of each head's output in the full space [H]
    heads_seen: FloatArray  # norm of each head's output in the plane [H]
    explained_variance: FloatArray  # share on each axis [2]
    fit: str  # vectors that the plane was fitted on, in words
    warnings: tuple[str, ...] = ()
