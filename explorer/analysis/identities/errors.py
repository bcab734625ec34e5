"""The largest error of an identity, and where it is."""

from __future__ import annotations

import numpy as np

from explorer.analysis.identities.claims import CLAIMS
from explorer.analysis.measures.blocks import BLOCK_BYTES, Progress, row_blocks
from explorer.records import FloatArray, Identity, Place


class MaxError:
    """The largest error so far and its place; NaN counts as larger than any number."""

    def __init__(self) -> None:
        self.error: float | None = None
        self.place: Place | None = None

    def update(self, error: float, place: Place) -> None:
        """Take an error into account."""
        if self.error is None or _rank(error) > _rank(self.error):
            self.error, self.place = float(error), place

    def update_heads(self, errors: FloatArray, stack: str, layer: int) -> None:
        """Take one error a head [H] into account."""
        head = int(np.argmax([_rank(error) for error in errors]))
        self.update(float(errors[head]), Place(stack, layer, head))

    def identity(self, name: str, tolerance: float, why_not: str, note: str = "") -> Identity:
        """The identity with this error; without any error it does not apply, and ``why_not`` says why."""
        if self.error is None:
            return Identity(CLAIMS[name], tolerance, why_not=why_not)
        return Identity(CLAIMS[name], tolerance, self.error, self.place, note=note)


def _rank(error: float) -> float:
    """The error for comparison: NaN counts as infinite."""
    return np.inf if np.isnan(error) else float(error)


def relative(ours: FloatArray, theirs: FloatArray) -> float:
    """Norm of the difference of two arrays [N, D], relative to the norm of ``theirs``."""
    difference = norm = 0.0  # squared
    for rows in row_blocks(len(theirs), theirs.itemsize * theirs.shape[-1], BLOCK_BYTES):
        expected = theirs[rows].astype(np.float64)
        difference += float(((ours[rows] - expected) ** 2).sum())
        norm += float((expected**2).sum())
    if norm == 0:
        return 0.0 if difference == 0 else np.inf
    return float(np.sqrt(difference / norm))


def within(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a part, mapped to ``start`` to ``end`` of the whole."""
    return lambda sentence, share: progress(sentence, start + (end - start) * (share or 0))
