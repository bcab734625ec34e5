"""How well a word's senses separate, and whether permuted labels separate as well."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from explorer.analysis.measures.blocks import Progress
from explorer.analysis.measures.contextual import cosines
from explorer.records import BoolArray, FloatArray, IntArray, LayerCurve, SenseTest

MAX_EXACT = 20_000  # assignments of labels: up to here all of them are tried
DRAWS = 2_499  # random assignments otherwise
_AT_ONCE = 2**22  # numbers in one pass over assignments
_ALIKE = 1e-6  # cosine distances below this are rounding


def separation(vectors: FloatArray, senses: Sequence[str]) -> float | None:
    """How well a word's occurrences [n, D] separate by sense: the mean silhouette, −1…1.

    Cosine distance in the full space (Rousseeuw 1987), as scikit-learn's ``silhouette_score``.
    Occurrences without a sense ("") are left out. None with fewer than two senses, a sense with
    fewer than two occurrences, or vectors that are all equal.
    """
    members, labels = _labelled(senses)
    if members is None:
        return None
    value = silhouettes(1 - cosines(np.asarray(vectors)[members]), labels[None])[0]
    return None if np.isnan(value) else float(value)


def silhouettes(distances: FloatArray, labels: IntArray) -> FloatArray:
    """The mean silhouettes [P] of several groupings of the same points.

    ``distances`` are [n, n]; ``labels`` [P, n] number the groups of each grouping from 0, none of
    them empty. A point alone in its group counts as 0, as in scikit-learn; NaN for equal points.
    """
    if distances.max(initial=0) < _ALIKE:
        return np.full(len(labels), np.nan)
    n_groups = int(labels.max()) + 1
    size = max(1, _AT_ONCE // (len(distances) * n_groups))
    return np.concatenate(
        [
            _silhouettes(distances, labels[start : start + size, :, None] == np.arange(n_groups))
            for start in range(0, len(labels), size)
        ]
    )


def _silhouettes(distances: FloatArray, member: BoolArray) -> FloatArray:
    """Mean silhouettes [P] of groupings, each as membership [P, n, groups]."""
    n_groupings, n_points, n_groups = member.shape
    flat = member.transpose(1, 0, 2).reshape(n_points, -1).astype(np.float64)
    sums = (distances @ flat).reshape(n_points, n_groupings, n_groups).transpose(1, 0, 2)
    counts = member.sum(axis=1, keepdims=True)
    own_count = np.where(member, counts, 0).sum(axis=2)
    within = np.where(member, sums, 0).sum(axis=2) / np.maximum(own_count - 1, 1)
    nearest = np.where(member, np.inf, sums / counts).min(axis=2)
    wider = np.maximum(within, nearest)
    value = np.where((own_count > 1) & (wider > 0), nearest - within, 0) / np.maximum(wider, 1e-300)
    result: FloatArray = value.mean(axis=1)
    return result


def sense_test(
    vectors: FloatArray,
    senses: Sequence[str],
    sentences: Sequence[int],
    seed: int = 0,
    progress: Progress | None = None,
) -> SenseTest | None:
    """Test at every layer whether a word's senses separate better than permuted labels.

    A permutation test: the senses are permuted over the sentences (a sentence keeps one sense
    for all its occurrences), in every possible way or, with more than 20,000 ways, in 2,499
    random ones. All layers see the same assignments, so that the largest separation over
    layers corrects for testing all of them (Westfall & Young 1993).

    ``vectors`` are [L+1, n, D], with the sense ("" for none) and the sentence of each occurrence.
    None where ``separation`` is undefined at every layer.
    """
    members, labels = _labelled(senses)
    if members is None:
        return None
    assignments, exact, of_sentences = _assignments(labels, [sentences[member] for member in members], seed)
    n_layers = len(vectors)
    permuted, observed = np.full((n_layers, len(assignments)), np.nan), np.full(n_layers, np.nan)
    for layer in range(n_layers):
        if progress is not None:
            progress(f"permuting the senses, layer {layer}", layer / n_layers)
        distances = 1 - cosines(vectors[layer][members])
        observed[layer] = silhouettes(distances, labels[None])[0]
        permuted[layer] = silhouettes(distances, assignments)
    defined = ~np.isnan(observed)
    if not defined.any():
        return None
    # Senses with equally many sentences can swap their names without a change.
    swaps = math.prod(math.factorial(n) for n in Counter(of_sentences).values()) if exact else 1
    names = dict.fromkeys(senses[member] for member in members)
    return SenseTest(
        separation=LayerCurve(observed, permuted.mean(axis=1), permuted.std(axis=1)),
        p=_share(permuted >= observed[:, None] - 1e-9, defined),
        p_corrected=_share(permuted[defined].max(axis=0) >= observed[:, None] - 1e-9, defined),
        smallest_p=swaps / len(assignments),
        sentences=dict(zip(names, of_sentences, strict=True)),
        assignments=len(assignments),
        exact=exact,
    )


def _labelled(senses: Sequence[str]) -> tuple[list[int] | None, IntArray]:
    """Indices of the occurrences with a sense, and its number from 0; None where they cannot be compared."""
    counts = Counter(sense for sense in senses if sense)
    if len(counts) < 2 or min(counts.values()) < 2:
        return None, np.array([], dtype=np.int64)
    number = {sense: i for i, sense in enumerate(counts)}
    members = [i for i, sense in enumerate(senses) if sense]
    return members, np.array([number[senses[i]] for i in members])


def _assignments(labels: IntArray, sentences: Sequence[int], seed: int) -> tuple[IntArray, bool, tuple[int, ...]]:
    """Labels permuted over sentences [P, n], the observed ones first or among them.

    Also whether these are all assignments, and how many sentences each sense has.
    """
    # A sentence has one sense, unless it was typed twice.
    units, unit_of = np.unique(np.column_stack([sentences, labels]), axis=0, return_inverse=True)
    observed = units[:, 1]
    sizes = tuple(int(size) for size in np.bincount(observed))
    ways = math.factorial(len(observed))
    for size in sizes:
        ways //= math.factorial(size)
    if ways <= MAX_EXACT:
        permuted = np.array(list(_all_ways(list(range(len(observed))), sizes)))
    else:
        rng = np.random.default_rng(seed)
        permuted = np.stack([observed, *(rng.permutation(observed) for _ in range(DRAWS))])
    return permuted[:, unit_of.ravel()], ways <= MAX_EXACT, sizes


def _all_ways(places: list[int], sizes: Sequence[int], first: int = 0) -> Iterator[list[int]]:
    """Every way to give ``places`` the labels ``first``, ``first`` + 1, …, ``sizes`` times each."""
    if len(sizes) == 1:
        yield [first] * len(places)
        return
    for chosen in combinations(range(len(places)), sizes[0]):
        rest = [place for place in range(len(places)) if place not in chosen]
        for others in _all_ways(rest, sizes[1:], first + 1):
            way = [first] * len(places)
            for place, label in zip(rest, others, strict=True):
                way[place] = label
            yield way


def _share(as_far: BoolArray, defined: BoolArray) -> FloatArray:
    """Share of the assignments at each layer; NaN where the layer has no separation."""
    return np.where(defined, as_far.mean(axis=1), np.nan)
