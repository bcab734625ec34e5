"""How far a word's vectors are from each other, in the full space and on the picture."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from explorer.records import BoolArray, FloatArray, WordDistances, WordProjection, WordStudy


def word_distances(study: WordStudy, shown: WordProjection) -> WordDistances:
    """Mean distances within each sense, between senses, and to the static vectors.

    Distances in the full space, 1 − cosine and Euclidean, ignore the plane's normalisation.
    """
    vectors = np.asarray(study.contextual[shown.layer], dtype=np.float64)
    static = np.asarray(study.static, dtype=np.float64)
    senses = np.array([o.sense for o in study.occurrences])
    upper = np.triu(np.ones((len(senses),) * 2, dtype=bool), 1)
    same = senses[:, None] == senses
    names = list(dict.fromkeys(senses.tolist()))
    among: dict[str, BoolArray] = {
        f"within {name or 'no sense given'}": upper & same & (senses == name) for name in names
    }
    if len(names) > 1:
        among["between senses"] = upper & ~same
    own = np.eye(len(senses), dtype=bool)

    def means(a: FloatArray, b: FloatArray, metric: str) -> tuple[float | None, ...]:
        within, across = _apart(a, a, metric), _apart(a, b, metric)
        return (*(_mean(within[pairs]) for pairs in among.values()), _mean(across[own]))

    return WordDistances(
        layer=shown.layer,
        pairs=(*among, "to static"),
        cosine=means(vectors, static, "cosine"),
        euclidean=means(vectors, static, "euclidean"),
        drawn=means(shown.points, shown.static, "euclidean"),
    )


def _apart(a: FloatArray, b: FloatArray, metric: str) -> FloatArray:
    if metric == "cosine":  # a vector of length 0 is at right angles to every other
        a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (a, b))
        return np.clip(1 - a @ b.T, 0, 2)
    distances: FloatArray = cdist(a, b)
    return distances


def _mean(values: FloatArray) -> float | None:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None
