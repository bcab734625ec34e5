"""Where position enters a model."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.text import FloatArray


@dataclass(frozen=True)
class Rotation:
    """One way a rotary model rotates queries and keys (Su et al. 2021, RoFormer).

    Attributes:
        layers: which layers it is of, in words.
        theta: the base of the wavelengths; None where the model does not name one.
        frequencies: radians a token for each rotated pair of dimensions [d/2].
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
    """The input of the first block for a text, as a sum.

    Attributes:
        labels: the text's tokens [N].
        parts: "static", and "position" and "segment" where the model adds them [P].
        vectors: those parts [P, N, d], whose sum goes through ``after``.
        after: what the sum goes through, in order ("norm", "projection").
        block_input: the input of the first block [N, D].
        error: ‖sum through ``after`` − block_input‖ as a share of ‖block_input‖ [N].
    """

    labels: tuple[str, ...]
    parts: tuple[str, ...]
    vectors: FloatArray
    after: tuple[str, ...]
    block_input: FloatArray
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
