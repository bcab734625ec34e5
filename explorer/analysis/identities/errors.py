"""The largest error of an identity, and where it is."""

from __future__ import annotations

import numpy as np

from explorer.analysis.identities.claims import CLAIMS
from explorer.analysis.measures.blocks import BLOCK_BYTES, Progress, row_blocks
from explorer.records import FloatArray, Identity, Place


class MaxError:
    """The largest error so far and where it was; one that is no number is larger than any."""

    def __init__(self) -> None:
        self.error: float | None = None
        self.place: Place | None = None

    def see(self, error: float, place: Place) -> None:
        """Take an error into account."""
        if self.error is None or _rank(error) > _rank(self.error):
            self.error, self.place = float(error), place

    def see_heads(self, errors: FloatArray, stack: str, layer: int) -> None:
        """Take one error a head [H] into account."""
        head = int(np.argmax([_rank(error) for error in errors]))
        self.see(float(errors[head]), Place(stack, layer, head))

    def told(self, name: str, tolerance: float, otherwise: str, note: str = "") -> Identity:
        """As an identity; where nothing was seen it does not apply, for the reason given."""
        if self.error is None:
            return Identity(CLAIMS[name], tolerance, why_not=otherwise)
        return Identity(CLAIMS[name], tolerance, self.error, self.place, note=note)


def _rank(error: float) -> float:
    """Larger than any number where it is none; an infinite one is as bad."""
    return np.inf if np.isnan(error) else float(error)


def relative(ours: FloatArray, theirs: FloatArray) -> float:
    """Length of the difference of two arrays [N, D] as a share of the length of ``theirs``."""
    apart = whole = 0.0
    for rows in row_blocks(len(theirs), theirs.itemsize * theirs.shape[-1], BLOCK_BYTES):
        expected = theirs[rows].astype(np.float64)
        apart += float(((ours[rows] - expected) ** 2).sum())
        whole += float((expected**2).sum())
    if whole == 0:
        return 0.0 if apart == 0 else np.inf
    return float(np.sqrt(apart / whole))


def within(tell: Progress, start: float, end: float) -> Progress:
    """A part's progress as that of the whole."""
    return lambda sentence, share: tell(sentence, start + (end - start) * (share or 0))
