"""What is said of a head, against weights worked out by hand."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures import compute_all
from explorer.views.heads.facts import facts_of_heads, head_facts, received
from tests.captures_by_hand import reading, tokens

OF = tokens("a b.", "[CLS]", "a", "b", ".", "[SEP]")


def test_a_head_with_a_sink() -> None:
    weights = np.tile([0.75, 0.0, 0.25, 0.0, 0.0], (5, 1))
    cap = reading(OF, weights)
    np.testing.assert_allclose(received(cap.only, 0, 0), weights[0])
    # −.75 ln .75 − .25 ln .25 = .562; the previous token of four: .75, 0, .25, 0.
    assert head_facts(cap.only, 0, 0) == ("entropy 0.56 nats · previous 0.25 · attention sink [CLS] (75%)")


def test_a_head_without_a_sink() -> None:
    cap = reading(OF, np.tile([0.1, 0.6, 0.3, 0.0, 0.0], (5, 1)))
    assert head_facts(cap.only, 0, 0).endswith("attends most to “a” (60%)")


def test_every_head_in_a_line() -> None:
    """The line of all heads holds the two shares that are largest, undefined ones left out."""
    cap = reading(OF, np.eye(5, k=-1) + np.eye(5)[[0]] * np.eye(5, 1))
    lines = facts_of_heads(compute_all(cap))
    assert lines == [["entropy 0.00 · previous token 1.00 · first token 0.40"]]
