"""Heads that find a token's earlier copies, or what came after them."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures.blocks import Block
from explorer.analysis.measures.measure import Measure
from explorer.records import FloatArray


def _on_copies(block: Block) -> FloatArray:
    copies = block.copies & block.allowed
    return block.where(copies.any(axis=1), block.on(copies))


def _after_copies(block: Block) -> FloatArray:
    after = np.zeros_like(block.copies)
    after[:, 1:] = block.copies[:, :-1]
    after &= block.allowed
    return block.where(after.any(axis=1), block.on(after))


DUPLICATE_TOKEN = Measure(
    name="duplicate_token",
    title="Duplicate token",
    reading="1: a token that stood before looks at where it stood.",
    formula="mean of Σ A[q,k] over k < q with the same token, over the queries that repeat "
    "one; special tokens do not count",
    source="TransformerLens, head_detector; Wang et al. 2022, “Interpretability in the Wild”",
    unit="share",
    range=(0, 1),
    undefined="of a text in which no token comes twice or the mask hides all copies, and on cross attention",
    per_query=_on_copies,
)

INDUCTION = Measure(
    name="induction",
    title="Induction",
    reading="1: a token that stood before looks at what came next there, which is how a "
    "model continues a repeated text.",
    formula="mean of Σ A[q,k+1] over k < q with the same token, over the queries that "
    "repeat one; special tokens do not count",
    source="Olsson et al. 2022, “In-context Learning and Induction Heads”",
    unit="share",
    range=(0, 1),
    undefined="of a text in which no token comes twice or the mask hides all copies, and on cross attention",
    per_query=_after_copies,
)
