"""The measures that give a number for every head, by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from explorer.analysis.measures.blocks import Block, Progress
from explorer.analysis.measures.measure import Measure, means_over_queries
from explorer.records import CapturedText, FloatArray


def _entropy_share(block: Block) -> FloatArray:
    n_allowed = block.allowed.sum(axis=1)
    return block.where(n_allowed > 1, block.entropies / np.log(np.maximum(n_allowed, 2)))


def _distance(block: Block) -> FloatArray:
    return block.where(not block.sides.cross, block.on(np.abs(block.offsets)))


def _weight_at(offset: int, block: Block) -> FloatArray:
    """Weight on the key ``offset`` tokens after each query [H, q]; NaN where that key is missing or masked.

    Cross attention has no such key: its positions belong to two texts.
    """
    n_keys = block.allowed.shape[1]
    keys = block.rows + offset
    exists = (keys >= 0) & (keys < n_keys) & (not block.sides.cross)
    keys, rows = np.clip(keys, 0, n_keys - 1), np.arange(len(keys))
    return block.where(exists & block.allowed[rows, keys], block.weights[:, rows, keys])


def _on_copies(block: Block) -> FloatArray:
    copies = block.copies & block.allowed
    return block.where(copies.any(axis=1), block.on(copies))


def _after_copies(block: Block) -> FloatArray:
    after = np.zeros_like(block.copies)
    after[:, 1:] = block.copies[:, :-1]
    after &= block.allowed
    return block.where(after.any(axis=1), block.on(after))


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            name="entropy",
            title="Entropy",
            reading="Low: each token attends to one or two others; high: it attends to many equally.",
            formula="mean over q of −Σ_k A[q,k] ln A[q,k]",
            source="Clark et al. 2019, “What Does BERT Look At?”, section 3.3",
            unit="nats",
            range=(0, None),
            per_query=lambda block: block.entropies,
        ),
        Measure(
            name="entropy_share",
            title="Entropy, as a share",
            reading="0: each token attends to a single other; 1: to all those it may see, equally, in any text.",
            formula="mean over q of −Σ_k A[q,k] ln A[q,k] / ln(number of keys q may see), "
            "over queries that may see more than one",
            source="Clark et al. 2019, “What Does BERT Look At?”, section 3.3; divided by the entropy of uniform "
            "attention",
            undefined="where no query may see more than one key",
            per_query=_entropy_share,
        ),
        Measure(
            name="distance",
            title="Distance",
            reading="How many tokens away, on average, the head looks; 0 is the token itself.",
            formula="mean over q of Σ_k A[q,k]·|q − k|",
            source="Vig & Belinkov 2019, “Analyzing the Structure of Attention in a Transformer Language Model”",
            unit="tokens",
            range=(0, None),
            undefined="on cross attention",
            per_query=_distance,
        ),
        Measure(
            name="previous_token",
            title="Previous token",
            reading="1: every token attends to the one just before it.",
            formula="mean of A[q, q−1] over the queries that have one",
            source="Clark et al. 2019; Olsson et al. 2022, “In-context Learning and Induction Heads”",
            undefined="on cross attention, and of a text of one token",
            per_query=partial(_weight_at, -1),
        ),
        Measure(
            name="next_token",
            title="Next token",
            reading="1: every token attends to the one just after it; a model that reads left to right cannot.",
            formula="mean of A[q, q+1] over the queries that may see it",
            source="Clark et al. 2019, “What Does BERT Look At?”, section 3.1",
            undefined="on a causal stack, on cross attention, and of a text of one token",
            per_query=partial(_weight_at, 1),
        ),
        Measure(
            name="same_token",
            title="Itself",
            reading="1: every token attends to itself alone.",
            formula="mean over q of A[q, q]",
            source="Clark et al. 2019, “What Does BERT Look At?”, section 3.1",
            undefined="on cross attention",
            per_query=partial(_weight_at, 0),
        ),
        Measure(
            name="sink_first",
            title="First token",
            reading="High: the first token is an attention sink, as in heads that find nothing to do here.",
            formula="mean over q of A[q, 0]",
            source="Xiao et al. 2023, “Efficient Streaming Language Models with Attention Sinks”",
            per_query=lambda block: block.on(np.arange(block.allowed.shape[1]) == 0),
        ),
        Measure(
            name="sink_special",
            title="Special tokens",
            reading="High: the head attends to tokens such as [CLS], [SEP] or </s>, often because it "
            "finds nothing to do here; 0 where the text has none.",
            formula="mean over q of Σ A[q,k] over special tokens k",
            source="Clark et al. 2019, “What Does BERT Look At?”, section 3.2",
            per_query=lambda block: block.on(block.sides.keys.special),
        ),
        Measure(
            name="sink_punctuation",
            title="Punctuation",
            reading="High: the head attends to commas, full stops and other marks; 0 where the text has none.",
            formula="mean over q of Σ A[q,k] over tokens k that are punctuation only",
            source="Clark et al. 2019, “What Does BERT Look At?”, section 3.2",
            per_query=lambda block: block.on(block.sides.punctuation),
        ),
        Measure(
            name="duplicate_token",
            title="Duplicate token",
            reading="1: a token that occurred before attends to its earlier copies.",
            formula="mean of Σ A[q,k] over k < q with the same token, over the queries that repeat "
            "one; special tokens do not count",
            source="TransformerLens, head_detector; Wang et al. 2022, “Interpretability in the Wild”",
            undefined="of a text in which no token comes twice or the mask hides all copies, and on cross attention",
            per_query=_on_copies,
        ),
        Measure(
            name="induction",
            title="Induction",
            reading="1: a token that occurred before attends to what came next there, which is how a "
            "model continues a repeated text.",
            formula="mean of Σ A[q,k+1] over k < q with the same token, over the queries that "
            "repeat one; special tokens do not count",
            source="Olsson et al. 2022, “In-context Learning and Induction Heads”",
            undefined="of a text in which no token comes twice or the mask hides all copies, and on cross attention",
            per_query=_after_copies,
        ),
    )
}


def named(names: Iterable[str] | None) -> list[Measure]:
    """The measures of these names; None means all.

    Raises:
        ValueError: an unknown name.
    """
    names = list(MEASURES) if names is None else list(names)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"unknown measure '{name}': use {', '.join(MEASURES)}")
    return [MEASURES[name] for name in names]


def compute_all(
    cap: CapturedText, stack: str | None = None, names: Iterable[str] | None = None, progress: Progress | None = None
) -> dict[str, FloatArray]:
    """Several measures of every head (all by default), as ``means_over_queries``.

    Raises:
        ValueError: an unknown measure or stack.
    """
    return means_over_queries(cap, named(names), stack, progress)
