"""A word's vectors in several sentences, and their projections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.records.text import FloatArray, IntArray


@dataclass(frozen=True)
class Projection:
    """A projection of vectors [n, D] to a few dimensions."""

    points: FloatArray  # [n, k]
    components: FloatArray | None  # axes [k, D]; None for t-SNE
    mean: FloatArray  # subtracted from the vectors [D]
    explained_variance: FloatArray  # share on each axis [k], each in 0…1
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Basis:
    """Axes fitted on some vectors, for projections of any others."""

    normalise: str  # "none", "unit" or "standard"
    shift: FloatArray  # subtracted by standardisation [D]; else 0
    scale: FloatArray  # divisor of standardisation [D]; else 1
    mean: FloatArray  # of the normalised vectors fitted on [D]
    components: FloatArray  # axes of length 1 [k, D]; 0 beyond the fit's rank
    explained_variance: FloatArray  # share of the fit's variance on each axis [k]
    scree: FloatArray  # share of the fit's variance of all components, largest first [r]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Occurrence:
    """One occurrence of the studied word.

    Its vector is the mean of ``pieces`` tokens, the first at ``position``; ``span`` are its
    characters; ``around`` counts the sentence's other tokens before and after it, without
    special ones.
    """

    sentence: int
    occurrence: int
    sense: str
    text: str
    span: tuple[int, int]
    pieces: int
    position: int
    around: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class StudyOptions:
    """How the word is found in the sentences of a study."""

    match_case: bool = False  # distinguish "Apple" from "apple"
    inside: bool = False  # also find the word inside longer ones ("apple" in "pineapple")
    which: str = "all"  # "all" occurrences in a sentence, the "first" or the "last"
    anchors: tuple[str, ...] = ()  # words of reference
    # Read each sentence twice and take the word in the second copy, so that a causal model has seen all of its context
    # (echo embeddings, Springer et al. 2024).
    echo: bool = False


ANY_PLACE = StudyOptions()


@dataclass(frozen=True)
class Anchor:
    """A word of reference: its vectors in ``text`` [L+1, D], and its static one [D]."""

    word: str
    text: str
    contextual: FloatArray
    static: FloatArray


@dataclass(frozen=True)
class TokenSample:
    """An even sample of a study's other tokens, without special tokens and the word itself."""

    vectors: FloatArray  # [L+1, m, D]
    static: FloatArray  # [m, D]
    labels: tuple[str, ...]  # [m]
    sentences: IntArray  # index of each token's sentence [m]


@dataclass(frozen=True)
class WordStudy:
    """One word's vectors in several sentences."""

    model: str
    revision: str | None
    word: str
    sentences: tuple[tuple[str, str], ...]  # (sense, sentence)
    occurrences: tuple[Occurrence, ...]
    contextual: FloatArray  # [L+1, n, D], the word's vector in the residual stream at each layer
    static: FloatArray  # [n, D], its row of the embedding table
    sample: TokenSample
    # Mean cosine of a sentence's tokens with their mean vector [L+1, s], of sentences with the word.
    intra_sentence: FloatArray
    sentence_tokens: IntArray  # number of tokens of each of those, without special ones [s]
    anchors: tuple[Anchor, ...] = ()
    options: StudyOptions = ANY_PLACE
    causal: bool = False  # whether a token sees only those up to itself
    remarks: tuple[str, ...] = ()  # what was skipped or merged, in words


@dataclass(frozen=True)
class PlaneOptions:
    """How a plane of a word study is fitted."""

    # "layer" (one per layer), "all" (one for all layers) or "vocabulary" (one of other words' static vectors).
    basis: str = "layer"
    normalise: str = "none"  # "none", "unit" or "standard"
    method: str = "pca"  # "pca", or "tsne" with the basis "layer" only
    axes: int = 2  # 2 or 3
    drop_first: bool = False  # fit without occurrences that are a text's first token


PLAIN_PLANE = PlaneOptions()


@dataclass(frozen=True)
class PlaneParts:
    """What a plane shows in addition to the occurrences and their static vector."""

    arrows: bool = False  # from static to contextual
    paths: bool = False  # of each occurrence through all layers, if they share a basis
    anchors: bool = True  # words of reference
    others: bool = False  # other tokens of the sentences


PLAIN_PARTS = PlaneParts()


@dataclass(frozen=True)
class WordProjection:
    """A word study at one layer, projected to one basis of k axes."""

    layer: int  # 0…L
    points: FloatArray  # of the occurrences [n, k]
    static: FloatArray  # of their static vectors [n, k]
    others: FloatArray  # other tokens of the sentences [m, k]; none for t-SNE
    anchors: FloatArray  # words of reference at this layer [a, k]; none for t-SNE
    static_anchors: FloatArray  # of their static vectors [a, k]
    basis: Basis | None  # None for t-SNE
    # Share that the axes explain of this layer's variance (occurrences and static vectors); None for t-SNE or where
    # all are equal.
    kept: float | None
    separation: float | None  # silhouette by sense (cosine, full space); None where undefined
    fit: str  # vectors that the basis was fitted on, in words
    switches: PlaneOptions = PLAIN_PLANE
    warnings: tuple[str, ...] = ()

    @property
    def explained_variance(self) -> FloatArray:
        """Share of the fit's variance on each axis [k]; empty for t-SNE."""
        return self.basis.explained_variance if self.basis else np.zeros(0)

    @property
    def scree(self) -> FloatArray:
        """Share of the fit's variance of all components [r]; empty for t-SNE."""
        return self.basis.scree if self.basis else np.zeros(0)


@dataclass(frozen=True)
class WordDistances:
    """Mean distances in one layer of a word study, in the full space and in the figure."""

    layer: int  # 0…L
    pairs: tuple[str, ...]  # groups of pairs: "within fruit", "between senses", "to static"
    cosine: tuple[float | None, ...]  # 1 − cosine in the full space; None without such a pair
    euclidean: tuple[float | None, ...]  # in the full space, without normalisation
    drawn: tuple[float | None, ...]  # between the points of the figure
