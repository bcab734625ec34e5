"""Heads that look at a fixed place: one token back, one on, or the token itself."""

from __future__ import annotations

from functools import partial

import numpy as np

from explorer.analysis.measures.blocks import Block
from explorer.analysis.measures.measure import Measure
from explorer.records import FloatArray


def weight_at(offset: int, block: Block) -> FloatArray:
    """Each query's weight on the key ``offset`` tokens after it [H, q].

    NaN for a query that has no such key or may not see it, and on cross attention, where
    positions of two texts would be compared.
    """
    n_keys = block.allowed.shape[1]
    keys = block.rows + offset
    there = (keys >= 0) & (keys < n_keys) & (not block.sides.cross)
    keys, places = np.clip(keys, 0, n_keys - 1), np.arange(len(keys))
    return block.where(there & block.allowed[places, keys], block.weights[:, places, keys])


PREVIOUS_TOKEN = Measure(
    name="previous_token",
    title="Previous token",
    reading="1: every token looks at the one just before it.",
    formula="mean of A[q, q−1] over the queries that have one",
    source="Clark et al. 2019; Olsson et al. 2022, “In-context Learning and Induction Heads”",
    unit="share",
    range=(0, 1),
    undefined="on cross attention, and of a text of one token",
    per_query=partial(weight_at, -1),
)

NEXT_TOKEN = Measure(
    name="next_token",
    title="Next token",
    reading="1: every token looks at the one just after it; a model that reads left to right cannot.",
    formula="mean of A[q, q+1] over the queries that may see it",
    source="Clark et al. 2019, “What Does BERT Look At?”, section 3.1",
    unit="share",
    range=(0, 1),
    undefined="on a causal stack, on cross attention, and of a text of one token",
    per_query=partial(weight_at, 1),
)

SAME_TOKEN = Measure(
    name="same_token",
    title="Itself",
    reading="1: every token looks at itself alone.",
    formula="mean over q of A[q, q]",
    source="Clark et al. 2019, “What Does BERT Look At?”, section 3.1",
    unit="share",
    range=(0, 1),
    undefined="on cross attention",
    per_query=partial(weight_at, 0),
)
