"""Measures of a word's vectors: layer by layer, and between its occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.records.text import FloatArray, IntArray


@dataclass(frozen=True)
class LayerCurve:
    """A measure at each layer [L+1], with mean and standard deviation of its null; NaN where undefined."""

    values: FloatArray
    null_mean: FloatArray
    null_std: FloatArray


@dataclass(frozen=True)
class SenseTest:
    """How well the senses separate at each layer, and how often permuted labels separate as well."""

    separation: LayerCurve  # silhouette by sense [L+1], with that of permuted labels as its null
    p: FloatArray  # share of the assignments that separate at least as well at that layer [L+1]
    # Share whose largest separation over all layers is at least as large [L+1] (Westfall & Young 1993).
    p_corrected: FloatArray
    smallest_p: float  # smallest p that this number of sentences allows
    sentences: Mapping[str, int]  # number of sentences of each sense
    assignments: int  # number that were tried
    exact: bool  # whether these are all assignments


@dataclass(frozen=True)
class AnchorCurves:
    """Mean cosine of each sense's occurrences with an anchor, by layer."""

    by_sense: Mapping[str, FloatArray]  # [L+1] each
    null_mean: FloatArray  # mean for random words of the sentences [L+1]
    null_std: FloatArray  # standard deviation for random words [L+1]


@dataclass(frozen=True)
class WordLayers:
    """The measures of a word study, layer by layer."""

    model: str
    word: str
    curves: Mapping[str, LayerCurve]  # by the names of ``CONTEXT_MEASURES``
    test: SenseTest | None  # of the separation; None where it is undefined
    anchors: Mapping[str, AnchorCurves]  # by word
    occurrences: int  # number of vectors of the word
    draws: int  # random draws of each null, with ``seed``
    seed: int


@dataclass(frozen=True)
class Proposals:
    """Occurrences grouped by their vectors alone."""

    groups: IntArray  # of each occurrence [n], 0 for the largest
    silhouette: float  # of this grouping (cosine)
    tried: Mapping[int, float]  # silhouette by number of groups
    typical: tuple[tuple[int, ...], ...]  # each group's occurrences, nearest to the group's mean first
    rand: float | None  # adjusted Rand index against the labelled senses; None with fewer than two


@dataclass(frozen=True)
class WordSimilarity:
    """Similarity of every two occurrences of a word at one layer."""

    layer: int
    cosine: FloatArray  # [n, n], in the order of the study's occurrences
    anisotropy: float  # mean cosine of random words at that layer; NaN where undefined
    order: tuple[int, ...]  # of the occurrences in the figure: by sense, or by proposed group without labels
    proposals: Proposals | None  # None where there is nothing to group
