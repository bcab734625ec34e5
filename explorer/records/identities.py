"""What must be true of any model on any text, and how far it is from being so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """An identity as it is told, whatever the model.

    Attributes:
        name: its key in files.
        title: what holds, in a few words.
        statement: the same in one plain sentence.
        formula: the same in symbols.
        reading: what is measured, what hangs on it, and what a failure would mean.
    """

    name: str
    title: str
    statement: str
    formula: str
    reading: str


@dataclass(frozen=True)
class Place:
    """Where in a model an error is largest; None for what the identity does not tell apart.

    ``state`` is the index of a residual state (0 is what the first block is given), ``layer``
    that of an attention layer.
    """

    stack: str
    layer: int | None = None
    head: int | None = None
    state: int | None = None

    def __str__(self) -> str:
        """The place in words."""
        parts = [("layer", self.layer), ("head", self.head), ("state", self.state)]
        return " · ".join([self.stack, *(f"{what} {number}" for what, number in parts if number is not None)])


@dataclass(frozen=True)
class Identity:
    """A claim held against one model and one text.

    Attributes:
        claim: what was checked.
        tolerance: the largest error that passes.
        error: the largest error found, not a number where one came up; None where the identity
            does not apply.
        place: where that was.
        why_not: why it does not apply, in words; nothing where it does.
        note: what else should be known, such as a wider tolerance; nothing otherwise.
    """

    claim: Claim
    tolerance: float
    error: float | None = None
    place: Place | None = None
    why_not: str = ""
    note: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether it holds; None where it does not apply."""
        return None if self.error is None else self.error <= self.tolerance
