"""How context changes a word's vectors: measures of one layer.

Source: Ethayarajh 2019, "How Contextual are Contextualized Word Representations?". The paper
corrects a word's measures by those of random words of the same layer, as ``by_layer`` does;
these are uncorrected.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from explorer.records import FloatArray, IntArray


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors [..., D] scaled to length 1, float64."""
    vectors = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: FloatArray = vectors / np.maximum(lengths, 1e-12)
    return result


def cosines(vectors: FloatArray) -> FloatArray:
    """Cosine of every two vectors [n, n]; exactly 1 on the diagonal."""
    directions = unit(vectors)
    result = np.clip(directions @ directions.T, -1, 1)
    np.fill_diagonal(result, 1.0)
    return result


def anisotropy(vectors: FloatArray, sentences: IntArray) -> float:
    """Mean cosine of occurrences of any words [m, D], over all pairs of different ``sentences`` [m].

    NaN where all are in one sentence.
    """
    directions = unit(vectors)
    number, counts = np.unique(sentences, return_inverse=True, return_counts=True)[1:]
    pairs = len(vectors) ** 2 - (counts**2).sum()
    if not pairs:
        return float("nan")
    of_sentence = np.zeros((len(counts), directions.shape[1]))
    np.add.at(of_sentence, number, directions)
    whole = of_sentence.sum(axis=0)
    return float((whole @ whole - (of_sentence**2).sum()) / pairs)


def self_similarity(vectors: FloatArray) -> float:
    """Mean cosine over all pairs of a word's vectors [n, D]; NaN for a single one."""
    count = len(vectors)
    if count < 2:
        return float("nan")
    whole = unit(vectors).sum(axis=0)
    return float((whole @ whole - count) / (count * (count - 1)))


def explainable_variance(vectors: FloatArray) -> float:
    """How well one direction represents all of a word's vectors: σ₁² / Σ σᵢ²; NaN for one vector.

    σ are the singular values of the vectors [n, D] without centring, as the paper defines MEV, so
    that equal vectors give 1. (The code released with it centres those of the word.)
    """
    if len(vectors) < 2:
        return float("nan")
    vectors = np.asarray(vectors, dtype=np.float64)
    wide = vectors.shape[1] >= len(vectors)
    gram = vectors @ vectors.T if wide else vectors.T @ vectors
    last = len(gram) - 1
    largest = eigh(gram, eigvals_only=True, subset_by_index=[last, last])[0]
    return float(largest / max(np.trace(gram), 1e-12))


def intra_sentence(vectors: FloatArray) -> FloatArray:
    """Mean cosine of a sentence's tokens [L+1, N, D] with the sentence's mean vector [L+1]."""
    mean = vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=2) * np.linalg.norm(mean, axis=2)
    with_mean = (vectors * mean).sum(axis=2) / np.maximum(lengths, 1e-12)
    result: FloatArray = with_mean.mean(axis=1)
    return result
