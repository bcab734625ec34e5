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
    assert largest.identity("rows", 1, "nothing seen").why_not == "nothing seen"
    largest.update(2, Place("encoder", 0))
    largest.update_heads(np.array([1.0, 3.0, 2.0]), "encoder", 1)
    largest.update(2.5, Place("encoder", 2))
    identity = largest.identity("rows", 3, "nothing seen", "a note")
    assert (identity.error, str(identity.place), identity.ok) == (3, "encoder · layer 1 · head 1", True)
    assert (identity.why_not, identity.note) == ("", "a note")
    largest.update(np.nan, Place("encoder", 3, 1))
    largest.update(9, Place("encoder", 4))
    assert largest.place == Place("encoder", 3, 1)
    assert largest.identity("rows", 9, "").ok is False
