"""What is shown and saved of where position enters a model."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.text import FloatArray


@dataclass(frozen=True)
class Rotation:
    """One way a rotary model turns queries and keys (Su et al. 2021, RoFormer).

    Attributes:
        layers: which layers it is of, in words.
        theta: the base of the wavelengths; None where the model does not say.
        frequencies: radians a token for each turned pair of dimensions [d/2].
    """

    layers: str
    theta: float | None
    frequencies: FloatArray


@dataclass(frozen=True)
class Positions:
    """How a model knows where a token stands.

    Attributes:
        kind: "learned" or "sinusoidal" (``vectors`` added to the tokens' own), "rotary"
            (``rotations``), "relative" (``bias`` added to the scores), or "none".
        vectors: of positions 0…n-1 [n, D], None where nothing is added.
        bias: what is added to the scores by distance key − query, −(n−1)…n−1 [H, 2n−1].
        d_head: width of a head's queries and keys.
        description: what is done, in words.
    """

    model: str
    kind: str
    vectors: FloatArray | None
    rotations: tuple[Rotation, ...]
    bias: FloatArray | None
    d_head: int
    description: str


@dataclass(frozen=True)
class EmbeddingSum:
    """What the first block is given of a text, as a sum.

    Attributes:
        labels: the text's tokens [N].
        parts: "static", and "position" and "segment" where the model adds them [P].
        vectors: those parts [P, N, d], whose sum goes through ``after``.
        after: what the sum goes through, in order ("norm", "projection").
        given: what the first block was given [N, D].
        error: ‖sum through ``after`` − given‖ as a share of ‖given‖ [N].
    """

    labels: tuple[str, ...]
    parts: tuple[str, ...]
    vectors: FloatArray
    after: tuple[str, ...]
    given: FloatArray
    error: FloatArray

    @property
    def total(self) -> FloatArray:
        """The parts' sum [N, d]."""
        total: FloatArray = self.vectors.sum(axis=0)
        return total

    def along_the_sum(self, token: int) -> FloatArray:
        """What each part adds to the length of one token's sum [P]; they add up to it."""
        total = self.total[token]
        along: FloatArray = self.vectors[:, token] @ total / max(float((total @ total) ** 0.5), 1e-30)
        return along
