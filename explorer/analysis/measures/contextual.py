"""What context does to a word's vectors: numbers of one layer.

Source: Ethayarajh 2019, "How Contextual are Contextualized Word Representations?". There a
word's measures are corrected by what random words of the same layer give, which ``by_layer``
does; here they are as they come.
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
    """Mean cosine of word occurrences, over all pairs that stand in different sentences.

    Args:
        vectors: one occurrence a row, of any words [m, D].
        sentences: which sentence each stands in [m].

    Returns:
        NaN where all stand in one sentence.
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
    """Mean cosine of every two of a word's vectors [n, D]; NaN for a single one."""
    count = len(vectors)
    if count < 2:
        return float("nan")
    whole = unit(vectors).sum(axis=0)
    return float((whole @ whole - count) / (count * (count - 1)))


def explainable_variance(vectors: FloatArray) -> float:
    """How well one direction stands for all of a word's vectors: σ₁² / Σ σᵢ².

    σ are the singular values of the vectors [n, D] as they are, not centred: so the paper
    defines MEV, and so vectors that are all equal give 1. (The code released with it takes
    centred ones for the word.)

    Returns:
        NaN for a single vector.
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
    """Mean cosine of a sentence's tokens with the sentence's mean vector [L+1].

    Args:
        vectors: of the sentence's tokens at each layer [L+1, N, D].
    """
    mean = vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=2) * np.linalg.norm(mean, axis=2)
    with_mean = (vectors * mean).sum(axis=2) / np.maximum(lengths, 1e-12)
    result: FloatArray = with_mean.mean(axis=1)
    return result
