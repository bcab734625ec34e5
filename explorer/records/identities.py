"""Identities that hold for any model on any text, and their errors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """An identity in words and symbols, for any model."""

    name: str  # key in files
    title: str  # the identity in a few words
    statement: str  # the identity in a sentence
    formula: str  # the identity in symbols
    reading: str  # what is measured, and what a failure would mean


@dataclass(frozen=True)
class Place:
    """Where in a model an error is largest; None for parts that the identity does not distinguish.

    ``state`` is the index of a residual state (0 is the input of the first block).
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
    """The check of a claim on one model and one text."""

    claim: Claim
    tolerance: float  # largest error that passes
    error: float | None = None  # largest error, NaN if one is; None where the identity does not apply
    place: Place | None = None  # of the largest error
    why_not: str = ""  # why it does not apply, in words; empty where it does
    note: str = ""  # a remark, such as a wider tolerance; empty without one

    @property
    def ok(self) -> bool | None:
        """Whether it holds; None where it does not apply."""
        return None if self.error is None else self.error <= self.tolerance
