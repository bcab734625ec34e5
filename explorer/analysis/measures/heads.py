"""Every measure that gives a number per head, by name."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.copying import DUPLICATE_TOKEN, INDUCTION
from explorer.analysis.measures.measure import Measure, means_over_queries
from explorer.analysis.measures.position import NEXT_TOKEN, PREVIOUS_TOKEN, SAME_TOKEN
from explorer.analysis.measures.sinks import SINK_FIRST, SINK_PUNCTUATION, SINK_SPECIAL
from explorer.analysis.measures.spread import DISTANCE, ENTROPY, ENTROPY_SHARE
from explorer.records import CapturedText, FloatArray

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        ENTROPY,
        ENTROPY_SHARE,
        DISTANCE,
        PREVIOUS_TOKEN,
        NEXT_TOKEN,
        SAME_TOKEN,
        SINK_FIRST,
        SINK_SPECIAL,
        SINK_PUNCTUATION,
        DUPLICATE_TOKEN,
        INDUCTION,
    )
}


def named(names: Iterable[str] | None) -> list[Measure]:
    """The measures of these names; None means all.

    Raises:
        ValueError: a name that is none.
    """
    names = list(MEASURES) if names is None else list(names)
    for name in names:
        if name not in MEASURES:
            raise ValueError(f"unknown measure '{name}': use {', '.join(MEASURES)}")
    return [MEASURES[name] for name in names]


def compute_all(
    cap: CapturedText, stack: str | None = None, names: Iterable[str] | None = None, progress: Progress | None = None
) -> dict[str, FloatArray]:
    """Several measures of every head, in one pass over the attention.

    Args:
        cap: a captured text.
        stack: which of its stacks; None means the only one, or the first.
        names: which measures; None means all.
        progress: called with a sentence and a share of 1 before each block of rows; what it
            raises ends the pass.

    Returns:
        Float64 [L, H] by name, NaN where a measure is undefined.

    Raises:
        ValueError: an unknown measure or stack.
    """
    return means_over_queries(cap, named(names), stack, progress)
