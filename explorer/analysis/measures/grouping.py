"""A word's occurrences grouped by their vectors alone, as candidates for senses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from explorer.analysis.measures.contextual import cosines, unit
from explorer.analysis.measures.separation import silhouettes
from explorer.records import FloatArray, IntArray, Proposals

MAX_GROUPS = 8
_DECIMALS = 4  # to which equal unit vectors agree


def proposals(vectors: FloatArray, senses: Sequence[str], seed: int = 0) -> Proposals | None:
    """Group occurrences [n, D] by k-means on unit vectors, k chosen by the silhouette.

    scikit-learn's ``KMeans`` with ten starts for every k from 2 to 8, or to n − 1; the k with
    the largest mean silhouette (cosine) is taken, the smaller one of a tie. The labelled
    ``senses`` ("" for none) are only compared with the result. None for fewer than three
    different vectors, or vectors so nearly equal that no silhouette is defined.
    """
    directions, distances = unit(vectors), 1 - cosines(vectors)
    different = len(np.unique(directions.round(_DECIMALS), axis=0))
    most = min(MAX_GROUPS, len(directions) - 1, different)
    if different < 3:
        return None
    found = [
        _largest_first(KMeans(k, n_init=10, random_state=seed).fit_predict(directions)) for k in range(2, most + 1)
    ]
    values = [float(silhouettes(distances, groups[None])[0]) for groups in found]
    if np.isnan(values).any():  # undefined for one grouping means undefined for all
        return None
    best = int(np.argmax(values))
    return Proposals(
        groups=found[best],
        silhouette=values[best],
        tried=dict(enumerate(values, start=2)),
        typical=_typical(directions, found[best]),
        rand=_agreement(found[best], senses),
    )


def _largest_first(groups: IntArray) -> IntArray:
    """The same groups numbered by size, those of one size by their first member."""
    names, firsts, sizes = np.unique(groups, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -sizes))
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    result: IntArray = rank[np.searchsorted(names, groups)]
    return result


def _typical(directions: FloatArray, groups: IntArray) -> tuple[tuple[int, ...], ...]:
    """Each group's members, those nearest to its mean first."""
    found = []
    for group in range(int(groups.max()) + 1):
        members = np.flatnonzero(groups == group)
        nearness = directions[members] @ directions[members].mean(axis=0)
        found.append(tuple(int(member) for member in members[np.argsort(-nearness)]))
    return tuple(found)


def _agreement(groups: IntArray, senses: Sequence[str]) -> float | None:
    labelled = [place for place, sense in enumerate(senses) if sense]
    labels = [senses[place] for place in labelled]
    return float(adjusted_rand_score(labels, groups[labelled])) if len(set(labels)) > 1 else None
