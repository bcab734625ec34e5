"""Where weight goes that a head has no better use for: the first token, specials, marks."""

from __future__ import annotations

import numpy as np

from explorer.analysis.measures.blocks import Block
from explorer.analysis.measures.measure import Measure
from explorer.records import FloatArray


def _on_first(block: Block) -> FloatArray:
    return block.on(np.arange(block.allowed.shape[1]) == 0)


SINK_FIRST = Measure(
    name="sink_first",
    title="First token",
    reading="High: the head rests on the first token, as heads do that find nothing to do here.",
    formula="mean over q of A[q, 0]",
    source="Xiao et al. 2023, “Efficient Streaming Language Models with Attention Sinks”",
    unit="share",
    range=(0, 1),
    undefined="nowhere",
    per_query=_on_first,
)

SINK_SPECIAL = Measure(
    name="sink_special",
    title="Special tokens",
    reading="High: the head looks at tokens such as [CLS], [SEP] or </s>, often because it "
    "finds nothing to do here; 0 where the text has none.",
    formula="mean over q of Σ A[q,k] over special tokens k",
    source="Clark et al. 2019, “What Does BERT Look At?”, section 3.2",
    unit="share",
    range=(0, 1),
    undefined="nowhere",
    per_query=lambda block: block.on(block.sides.keys.special),
)

SINK_PUNCTUATION = Measure(
    name="sink_punctuation",
    title="Punctuation",
    reading="High: the head looks at commas, full stops and other marks; 0 where the text has none.",
    formula="mean over q of Σ A[q,k] over tokens k that are punctuation only",
    source="Clark et al. 2019, “What Does BERT Look At?”, section 3.2",
    unit="share",
    range=(0, 1),
    undefined="nowhere",
    per_query=lambda block: block.on(block.sides.punctuation),
)
