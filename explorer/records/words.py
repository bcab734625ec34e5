"""What is shown and saved of a word's vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.records.text import FloatArray, IntArray


@dataclass(frozen=True)
class Projection:
    """Vectors [n, D] brought to a few dimensions, and what that keeps.

    Attributes:
        points: coordinates [n, k].
        components: the axes [k, D], or None where the method has none (t-SNE).
        mean: what was subtracted first [D].
        explained_variance: share of the variance on each axis [k], each in 0…1.
        warnings: what a reader must know before trusting the picture.
    """

    points: FloatArray
    components: FloatArray | None
    mean: FloatArray
    explained_variance: FloatArray
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Basis:
    """Axes fitted on some vectors, which any others can be brought into.

    Attributes:
        normalise: "none", "unit" or "standard".
        shift: what standardising subtracts [D], of the vectors fitted on; else 0.
        scale: what standardising divides by [D]; else 1.
        mean: of the normalised vectors fitted on [D].
        components: the axes [k, D], of length 1; 0 beyond the fit's rank.
        explained_variance: share of the fit's variance on each axis [k].
        scree: the same of every component there is, largest first [r].
        warnings: what a reader must know before trusting the axes.
    """

    normalise: str
    shift: FloatArray
    scale: FloatArray
    mean: FloatArray
    components: FloatArray
    explained_variance: FloatArray
    scree: FloatArray
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Occurrence:
    """One place where the studied word stands.

    ``pieces`` counts the tokens its vector is the mean of, of which ``position`` is the first;
    ``span`` are its characters; ``around`` counts the sentence's other tokens before and after
    it, special ones left out.
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
    """What is looked for in the sentences of a study.

    Attributes:
        match_case: tell "Apple" from "apple".
        inside: find the word inside longer ones too ("apple" in "pineapple").
        which: of several places in a sentence "all", the "first" or the "last".
        anchors: other words, read as points of reference.
        echo: read each sentence twice and take the word in its second copy, so that a causal
            model has seen all of its context (echo embeddings, Springer et al. 2024).
    """

    match_case: bool = False
    inside: bool = False
    which: str = "all"
    anchors: tuple[str, ...] = ()
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
    """Other tokens of a study's sentences, evenly taken; no special tokens, not the word.

    Attributes:
        vectors: [L+1, m, D].
        static: [m, D].
        labels: what each reads as.
        sentences: which sentence each stands in [m].
    """

    vectors: FloatArray
    static: FloatArray
    labels: tuple[str, ...]
    sentences: IntArray


@dataclass(frozen=True)
class WordStudy:
    """One word's vectors in several sentences.

    Attributes:
        sentences: (sense, sentence) as given.
        contextual: [L+1, n, D], the word's vector in the residual stream at each layer.
        static: [n, D], its row of the embedding table.
        sample: other tokens of the sentences.
        intra_sentence: mean cosine of a sentence's tokens with their mean vector [L+1, s],
            for the sentences that hold the word.
        sentence_tokens: how many tokens each of those has, special ones not counted [s].
        anchors: words of reference.
        options: what was looked for.
        causal: whether a token sees only what stands before it.
        remarks: what was skipped or merged, in words.
    """

    model: str
    revision: str | None
    word: str
    sentences: tuple[tuple[str, str], ...]
    occurrences: tuple[Occurrence, ...]
    contextual: FloatArray
    static: FloatArray
    sample: TokenSample
    intra_sentence: FloatArray
    sentence_tokens: IntArray
    anchors: tuple[Anchor, ...] = ()
    options: StudyOptions = ANY_PLACE
    causal: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaneOptions:
    """What a plane of a word study is fitted on, and how.

    Attributes:
        basis: "layer" (each layer's own), "all" (one for all layers) or "vocabulary" (one, of
            other words' static vectors).
        normalise: "none", "unit" or "standard".
        method: "pca", or "tsne" with the basis "layer" only.
        axes: 2 or 3.
        drop_first: leave out of the fit the occurrences that are a text's first token.
    """

    basis: str = "layer"
    normalise: str = "none"
    method: str = "pca"
    axes: int = 2
    drop_first: bool = False


PLAIN_PLANE = PlaneOptions()


@dataclass(frozen=True)
class PlaneParts:
    """What a plane shows beside the occurrences and their static vector.

    Attributes:
        arrows: from static to contextual.
        paths: each occurrence's way through all layers, where they have one basis.
        anchors: words of reference.
        others: other tokens of the sentences.
    """

    arrows: bool = False
    paths: bool = False
    anchors: bool = True
    others: bool = False


PLAIN_PARTS = PlaneParts()


@dataclass(frozen=True)
class WordProjection:
    """A word study at one layer, all of it in one basis of k axes.

    Attributes:
        layer: which, 0…L.
        points: the occurrences [n, k].
        static: their static vectors [n, k].
        others: other tokens of the sentences [m, k]; none by t-SNE.
        anchors: words of reference at this layer [a, k]; none by t-SNE.
        static_anchors: their static vectors [a, k].
        basis: its axes; None by t-SNE.
        kept: share of the variance of this layer's occurrences and their static vectors that
            the axes keep; None by t-SNE or where they are all equal.
        separation: the silhouette by sense (cosine, full space), None where undefined.
        fit: what the basis was fitted on, in words.
        switches: how.
        warnings: what a reader must know before trusting the picture.
    """

    layer: int
    points: FloatArray
    static: FloatArray
    others: FloatArray
    anchors: FloatArray
    static_anchors: FloatArray
    basis: Basis | None
    kept: float | None
    separation: float | None
    fit: str
    switches: PlaneOptions = PLAIN_PLANE
    warnings: tuple[str, ...] = ()

    @property
    def explained_variance(self) -> FloatArray:
        """Share of the fit's variance on each axis [k]; none by t-SNE."""
        return self.basis.explained_variance if self.basis else np.zeros(0)

    @property
    def scree(self) -> FloatArray:
        """The same of every component there is [r]."""
        return self.basis.scree if self.basis else np.zeros(0)


@dataclass(frozen=True)
class WordDistances:
    """Mean distances in one layer of a word study, in the full space and on the picture.

    Attributes:
        layer: which, 0…L.
        pairs: what is averaged over: "within fruit", "between senses", "to static".
        cosine: 1 − cosine in the full space; None where there is no such pair.
        euclidean: in the full space, of the vectors as they are.
        drawn: between the points of the picture.
    """

    layer: int
    pairs: tuple[str, ...]
    cosine: tuple[float | None, ...]
    euclidean: tuple[float | None, ...]
    drawn: tuple[float | None, ...]
