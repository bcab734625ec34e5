"""How widely a head looks, and how far."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures.blocks import Block
from explorer.analysis.measures.measure import Measure
from explorer.records import FloatArray


def _share_of_most(block: Block) -> FloatArray:
    seen = block.allowed.sum(axis=1)
    return block.where(seen > 1, block.entropies / np.log(np.maximum(seen, 2)))


def _distance(block: Block) -> FloatArray:
    return block.where(not block.sides.cross, block.on(np.abs(block.offsets)))


ENTROPY = Measure(
    name="entropy",
    title="Entropy",
    reading="Low: each token looks at one or two others; high: it looks at many alike.",
    formula="mean over q of −Σ_k A[q,k] ln A[q,k]",
    source="Clark et al. 2019, “What Does BERT Look At?”, section 3.3",
    unit="nats",
    range=(0, None),
    undefined="nowhere",
    per_query=lambda block: block.entropies,
)

ENTROPY_SHARE = Measure(
    name="entropy_share",
    title="Entropy, as a share",
    reading="0: each token looks at a single other; 1: at all those it may see alike, however long the text.",
    formula="mean over q of −Σ_k A[q,k] ln A[q,k] / ln(number of keys q may see), "
    "over queries that may see more than one",
    source="Clark et al. 2019, “What Does BERT Look At?”, section 3.3; divided by the entropy of uniform attention",
    unit="share",
    range=(0, 1),
    undefined="where no query may see more than one key",
    per_query=_share_of_most,
)

DISTANCE = Measure(
    name="distance",
    title="Distance",
    reading="How many tokens away, on average, the head looks; 0 is the token itself.",
    formula="mean over q of Σ_k A[q,k]·|q − k|",
    source="Vig & Belinkov 2019, “Analyzing the Structure of Attention in a Transformer Language Model”",
    unit="tokens",
    range=(0, None),
    undefined="on cross attention",
    per_query=_distance,
)
