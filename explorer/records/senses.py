"""What is measured of a word's vectors: layer by layer, and between its occurrences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.records.text import FloatArray, IntArray


@dataclass(frozen=True)
class LayerCurve:
    """A measure at each layer [L+1] beside its null; NaN where undefined.

    Attributes:
        values: the measure.
        null_mean: its mean where only chance is at work.
        null_std: its standard deviation there.
    """

    values: FloatArray
    null_mean: FloatArray
    null_std: FloatArray


@dataclass(frozen=True)
class SenseTest:
    """How well the senses separate at each layer, and how often permuted labels separate as well.

    Attributes:
        separation: the silhouette by sense [L+1], NaN where undefined, beside what it is
            with permuted labels.
        p: share of the assignments that separate at least as well at that layer [L+1].
        p_corrected: share of them whose largest separation over all layers is at least as
            large [L+1] (Westfall & Young 1993).
        smallest_p: the smallest p that so few sentences allow.
        sentences: how many sentences each sense has.
        assignments: how many were tried.
        exact: whether these are all there are.
    """

    separation: LayerCurve
    p: FloatArray
    p_corrected: FloatArray
    smallest_p: float
    sentences: Mapping[str, int]
    assignments: int
    exact: bool


@dataclass(frozen=True)
class AnchorCurves:
    """Mean cosine of each sense's occurrences with an anchor, by layer.

    Attributes:
        by_sense: [L+1] each.
        null_mean: the same for random words of the sentences [L+1].
        null_std: its standard deviation [L+1].
    """

    by_sense: Mapping[str, FloatArray]
    null_mean: FloatArray
    null_std: FloatArray


@dataclass(frozen=True)
class WordLayers:
    """A word study measured layer by layer.

    Attributes:
        curves: by the names of ``CONTEXT_MEASURES``, separation among them.
        test: of the separation; None where no sense can be told from another.
        anchors: by word.
        occurrences: how many vectors of the word were measured.
        draws: random draws of each null, with ``seed``.
    """

    model: str
    word: str
    curves: Mapping[str, LayerCurve]
    test: SenseTest | None
    anchors: Mapping[str, AnchorCurves]
    occurrences: int
    draws: int
    seed: int


@dataclass(frozen=True)
class Proposals:
    """Occurrences grouped by their vectors alone.

    Attributes:
        groups: the group of each occurrence [n], 0 the largest.
        silhouette: of that grouping (cosine).
        tried: silhouette by number of groups.
        typical: of each group its occurrences, nearest to the group's mean first.
        rand: adjusted Rand index against the labelled senses; None where there are fewer
            than two.
    """

    groups: IntArray
    silhouette: float
    tried: Mapping[int, float]
    typical: tuple[tuple[int, ...], ...]
    rand: float | None


@dataclass(frozen=True)
class WordSimilarity:
    """Every two occurrences of a word at one layer.

    Attributes:
        cosine: [n, n], in the order of the study's occurrences.
        anisotropy: mean cosine of random words at that layer; NaN where undefined.
        order: occurrences in the figure's order: by sense, or by proposal where none is labelled.
        proposals: None where there is nothing to group.
    """

    layer: int
    cosine: FloatArray
    anisotropy: float
    order: tuple[int, ...]
    proposals: Proposals | None
