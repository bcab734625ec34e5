"""The result of ``sense_test`` in words."""

from __future__ import annotations

import numpy as np

from explorer.records import BoolArray, WordLayers

SIGNIFICANT = 0.05


def where_senses_separate(layers: WordLayers) -> str:
    """At which layers the senses separate, in words, and with which p value.

    Significant at p ≤ 0.05, corrected for all layers. The layers named are the contiguous ones
    around the largest separation.
    """
    test = layers.test
    if test is None:
        return (
            "nothing to tell apart: it takes two senses with two occurrences each, and vectors that are not all equal"
        )
    *first_names, last_name = test.sentences
    names = f"{', '.join(first_names)} and {last_name}"
    sizes = " + ".join(str(size) for size in test.sentences.values())
    values = test.separation.values
    peak = int(np.nanargmax(values))
    n_tested = int((~np.isnan(values)).sum())
    corrected = f"corrected for looking at {n_tested} layers"
    if test.smallest_p > SIGNIFICANT:
        return (
            f"{sizes} sentences are too few to show that {names} separate: the smallest p they allow "
            f"is {p_in_words(test.smallest_p)}; the largest separation is {values[peak]:.2f}, at "
            f"layer {peak}"
        )
    p = test.p_corrected[peak]
    if p > SIGNIFICANT:
        return (
            f"{names} do not separate at any layer beyond chance: the largest separation is "
            f"{values[peak]:.2f}, at layer {peak} (p = {p_in_words(p)}, {corrected})"
        )
    least = f", the smallest {sizes} sentences allow" if p <= test.smallest_p * 1.001 else ""
    return (
        f"{names} separate {_stretch(test.p_corrected <= SIGNIFICANT, peak)}, most at layer {peak} "
        f"({values[peak]:.2f}, p = {p_in_words(p)}{least}; {corrected})"
    )


def p_in_words(p: float) -> str:
    """A p value with two significant digits."""
    return f"{p:.2f}" if p >= 0.095 else f"{p:.2g}"


def _stretch(significant: BoolArray, peak: int) -> str:
    """The contiguous significant layers around the peak."""
    first = last = peak
    while first > 0 and significant[first - 1]:
        first -= 1
    while last + 1 < len(significant) and significant[last + 1]:
        last += 1
    if last == len(significant) - 1:
        return f"from layer {first} on" if first else "at every layer"
    return f"from layer {first} to {last}" if first < last else f"at layer {first} only"
