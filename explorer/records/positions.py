"""How position enters a model."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.text import FloatArray


@dataclass(frozen=True)
class Rotation:
    """One way a rotary model rotates queries and keys (Su et al. 2021, RoFormer)."""

    layers: str  # in words
    theta: float | None  # base of the wavelengths; None where the model does not state one
    frequencies: FloatArray  # radians per token for each rotated pair of dimensions [d/2]


@dataclass(frozen=True)
class Positions:
    """How a model encodes position.

    ``kind`` is "learned" or "sinusoidal" (``vectors`` added to the tokens' own), "rotary"
    (``rotations``), "relative" (``bias`` added to the scores), or "none".
    """

    model: str
    kind: str
    vectors: FloatArray | None  # of positions 0…n-1 [n, D]; None where nothing is added
    rotations: tuple[Rotation, ...]
    bias: FloatArray | None  # added to the scores, by distance key − query from −(n−1) to n−1 [H, 2n−1]
    d_head: int
    description: str  # the mechanism in words


@dataclass(frozen=True)
class EmbeddingSum:
    """The input of the first block for a text, as a sum."""

    labels: tuple[str, ...]  # of the tokens [N]
    parts: tuple[str, ...]  # "static", and "position" and "segment" where the model adds them [P]
    vectors: FloatArray  # of the parts [P, N, d]
    after: tuple[str, ...]  # modules applied to their sum, in order ("norm", "projection")
    block_input: FloatArray  # [N, D]
    error: FloatArray  # ‖sum through ``after`` − block_input‖ / ‖block_input‖ [N]

    @property
    def total(self) -> FloatArray:
        """The parts' sum [N, d]."""
        total: FloatArray = self.vectors.sum(axis=0)
        return total

    def along_the_sum(self, token: int) -> FloatArray:
        """Each part's component along one token's sum [P]; they add up to its norm."""
        total = self.total[token]
        along: FloatArray = self.vectors[:, token] @ total / max(float((total @ total) ** 0.5), 1e-30)
        return along
