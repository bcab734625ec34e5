"""What is shown and saved of a head's pull on a word."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.source import Source
from explorer.records.text import BoolArray, FloatArray
from explorer.records.words import Occurrence

# What an arrow's token may be to the word, in the order of the colours.
KINDS = ("the word itself", "other words", "punctuation", "special tokens", "first token")
BIAS = "output bias"


@dataclass(frozen=True)
class Pull:
    """What every token gives one occurrence of a word in a layer's attention.

    The word's pieces are the queries; of several the mean is told, of weights and vectors
    alike, as the word's own vector is their mean.

    Attributes:
        occurrence: where the word stands.
        layer: which attention, from 0; it reads ``hidden[layer]``.
        head: which head, or None for the layer's heads together with the output bias.
        labels: the sentence's tokens [K].
        kinds: what each is [K], one of ``KINDS``.
        allowed: whether the word may see it [K].
        weights: attention weight on each token [K]; of heads together their mean.
        value_norms: ‖v W_O‖ of each token [K]; NaN for heads together.
        contributions: A·v·W_O of each token [K, D], summed over heads where they are together.
        bias: the output bias [D], of no head's own.
        heads: what each head of the layer gives [H, D].
        before: the word's vector that the block reads [D].
        residual: how the sum meets it: "pre", "post", "inner", "parallel" or "unknown".
    """

    source: Source
    occurrence: Occurrence
    layer: int
    head: int | None
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    allowed: BoolArray
    weights: FloatArray
    value_norms: FloatArray
    contributions: FloatArray
    bias: FloatArray
    heads: FloatArray
    before: FloatArray
    residual: str

    @property
    def total(self) -> FloatArray:
        """All arrows put end to end [D]: what the head, or the whole attention, gives."""
        given: FloatArray = self.contributions.sum(axis=0)
        return given + self.bias if self.head is None else given

    @property
    def attention(self) -> FloatArray:
        """What the layer's attention gives with all heads and the bias [D]."""
        given: FloatArray = self.heads.sum(axis=0) + self.bias
        return given


@dataclass(frozen=True)
class Arrow:
    """One vector of a pull: what the plane shows of it, and what it is in the full space.

    Attributes:
        label: whose it is: a token's, the output bias's, the sum's.
        kind: what that token is to the word, ``BIAS`` or "the sum".
        weight: attention weight on the token; None where it has none.
        value_norm: ‖v W_O‖; None where it has none.
        length: of the vector, full space.
        seen: the share of that length which the plane shows, 0…1; None for a length of 0.
            Where the plane standardises dimensions, of the length after that.
        cosine: with the sum, full space; None where one of the two is 0.
        share: its part of the sum, along it, full space; all arrows' make 1.
        x, y: its length on the plane's axes, which are of length 1 and at right angles.
    """

    label: str
    kind: str
    weight: float | None
    value_norm: float | None
    length: float
    seen: float | None
    cosine: float | None
    share: float | None
    x: float
    y: float


@dataclass(frozen=True)
class PullPlane:
    """A pull as it is drawn: arrows in the plane of a word study.

    Attributes:
        points: the word's occurrences [n, 2].
        static: their static vectors [n, 2].
        place: which of the occurrences is pulled.
        arrows: a token each, and the output bias where heads are together; strongest first.
        total: all of them put end to end.
        attention: what all heads and the bias give together.
        heads: length of what each head of the layer gives, full space [H].
        heads_seen: the length of it in the plane [H].
        explained_variance: share of the variance on each axis [2].
        fit: what the plane was fitted on, in words.
        warnings: what a reader must know of it.
    """

    points: FloatArray
    static: FloatArray
    place: int
    arrows: tuple[Arrow, ...]
    total: Arrow
    attention: Arrow
    heads: FloatArray
    heads_seen: FloatArray
    explained_variance: FloatArray
    fit: str
    warnings: tuple[str, ...] = ()
