"""The largest error of an identity, by hand."""

from __future__ import annotations

import numpy as np

from explorer.analysis.identities.errors import MaxError, relative
from explorer.records import Place


def test_relative() -> None:
    theirs = np.array([[3.0, 0.0], [0.0, 4.0]])
    assert relative(theirs + np.array([[0.0, 1.0], [0.0, 0.0]]), theirs) == 0.2
    assert relative(np.zeros((2, 2)), np.zeros((2, 2))) == 0
    assert relative(np.ones((2, 2)), np.zeros((2, 2))) == np.inf


def test_the_largest_is_kept() -> None:
    largest = MaxError()
    assert largest.told("rows", 1, "nothing seen").why_not == "nothing seen"
    largest.see(2, Place("encoder", 0))
    largest.see_heads(np.array([1.0, 3.0, 2.0]), "encoder", 1)
    largest.see(2.5, Place("encoder", 2))
    told = largest.told("rows", 3, "nothing seen", "a note")
    assert (told.error, str(told.place), told.ok) == (3, "encoder · layer 1 · head 1", True)
    assert (told.why_not, told.note) == ("", "a note")
    largest.see(np.nan, Place("encoder", 3, 1))
    largest.see(9, Place("encoder", 4))
    assert largest.place == Place("encoder", 3, 1)
    assert largest.told("rows", 9, "").ok is False
