"""Vectors to a picture's few dimensions, and what the picture leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explorer.records import Basis, FloatArray, Projection

NORMALISE = ("none", "unit", "standard")
METHODS = ("pca", "tsne")
# Above this share of its squared length on one dimension, a component is that dimension; above
# this share of its variance from a few rows, it is theirs; and from more rows that are alike by
# nature, where a row of theirs has on average so many times another's squares.
_ROGUE_SHARE = 0.5
_FEW_ROWS = 0.25
_FAR_LARGER = 3.5
_ADVICE = {"none": ", try unit or standard normalisation", "unit": ", try standard normalisation", "standard": ""}
_PERPLEXITY = 30.0
_SEED = 0
_TSNE_WARNING = (
    "t-SNE keeps neighbours, not distances: how far groups are apart, how large they are and "
    "which way is up mean little"
)


def fit_basis(
    vectors: FloatArray, n: int, normalise: str, owners: Sequence[str], alike: str | None = None, advice: bool = True
) -> Basis:
    """PCA of vectors [m, D] as axes for any others.

    Singular value decomposition of the centred vectors, as scikit-learn's
    ``PCA(svd_solver="full")`` up to sign; a component's sign is chosen so that its largest
    loading is positive.

    Args:
        vectors: one vector a row.
        n: how many axes.
        normalise: as in ``project``.
        owners: whose each row is, in words; who alone makes a component is named.
        alike: the owner whose rows are alike by nature, as first tokens are: named even with
            many rows.
        advice: whether a warning says which other normalisation to try.

    Raises:
        ValueError: an unknown normalisation, or vectors that are not a matrix of finite
            numbers.
    """
    vectors = _checked(vectors, n)
    if normalise not in NORMALISE:
        raise ValueError(f"unknown normalisation '{normalise}': use {', '.join(NORMALISE)}")
    width = vectors.shape[1]
    shift, scale = np.zeros(width), np.ones(width)
    if normalise == "standard":
        shift, spread = vectors.mean(axis=0), vectors.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
    data = _normalised(vectors, normalise, shift, scale)
    mean = data.mean(axis=0)
    _, singular, components = np.linalg.svd(data - mean, full_matrices=False)
    rank = min(n, len(singular))
    signs = np.sign(components[np.arange(rank), np.abs(components[:rank]).argmax(axis=1)])
    variance = singular**2
    total = variance.sum()
    axes, scree = np.zeros((n, width)), np.zeros(max(n, len(variance)))
    # Rounding leaves a little variance even in equal vectors; that is no axis.
    if total > 1e-12 * max(1.0, float((data**2).sum())):
        axes[:rank] = components[:rank] * signs[:, None]
        scree[: len(variance)] = variance / total
    made = Basis(normalise, shift, scale, mean, axes, scree[:n], scree)
    points = (data - mean) @ axes.T
    warnings = (*_rogues(made, advice), *_owned(points, owners, alike))
    return replace(made, warnings=warnings)


def place(basis: Basis, vectors: FloatArray) -> FloatArray:
    """Vectors [..., D] as points [..., k] of a basis, normalised as the basis is."""
    vectors = np.asarray(vectors, dtype=np.float64)
    data = _normalised(vectors, basis.normalise, basis.shift, basis.scale)
    points: FloatArray = (data - basis.mean) @ basis.components.T
    return points


def turn(basis: Basis, directions: FloatArray) -> FloatArray:
    """Differences of vectors [..., D] as arrows [..., k] of a basis: its linear part alone.

    Raises:
        ValueError: the basis scales each vector to length 1, which is not linear.
    """
    if basis.normalise == "unit":
        raise ValueError(
            "a difference of vectors has no place where each is scaled to length 1: use normalisation none or standard"
        )
    arrows: FloatArray = (np.asarray(directions) / basis.scale) @ basis.components.T
    return arrows


def flipped(basis: Basis, signs: FloatArray) -> Basis:
    """The same basis with axes turned round where ``signs`` [k] is −1."""
    return replace(basis, components=basis.components * np.asarray(signs)[:, None])


def project(
    vectors: FloatArray, n: int = 2, method: str = "pca", normalise: str = "none", drop_first: bool = False
) -> Projection:
    """Project vectors [m, D] to ``n`` dimensions.

    Args:
        vectors: one vector a row.
        n: how many dimensions the points get; those beyond the data's rank are 0.
        method: "pca" (see ``fit_basis``), or "tsne", scikit-learn's with a fixed seed and a
            perplexity of 30, less where there are fewer than 91 vectors (van der Maaten &
            Hinton 2008); it has no axes and explains no variance.
        normalise: "none", "unit" (each vector to length 1) or "standard" (each dimension
            to mean 0 and variance 1).
        drop_first: leave out the first row (a first token can own the first component).

    Raises:
        ValueError: an unknown method or normalisation, or vectors that are not a matrix
            of finite numbers.
    """
    if method not in METHODS:
        raise ValueError(f"unknown projection '{method}': use {' or '.join(METHODS)}")
    given = _checked(vectors, n, at_least=1 + drop_first)
    names = [f"vector {row}" for row in range(len(given))]
    vectors, names = given[int(drop_first) :], names[int(drop_first) :]
    basis = fit_basis(vectors, n, normalise, names)
    if method == "tsne":
        return _tsne(vectors, n, basis)
    return Projection(place(basis, vectors), basis.components, basis.mean, basis.explained_variance, basis.warnings)


def _tsne(vectors: FloatArray, n: int, basis: Basis) -> Projection:
    """Points by t-SNE; vectors that are all equal, or fewer than axes, need none."""
    data = _normalised(vectors, basis.normalise, basis.shift, basis.scale)
    if min(data.shape) < max(3, n) or not basis.explained_variance.any():
        points, said = place(basis, vectors), ("too few different vectors for t-SNE: PCA is shown",)
    else:
        from sklearn.manifold import TSNE  # slow to import, and seldom needed

        points = TSNE(n, perplexity=perplexity_for(len(data)), init="pca", random_state=_SEED).fit_transform(data)
        said = (_TSNE_WARNING,)
    return Projection(points.astype(np.float64), None, basis.mean, np.zeros(0), said)


def perplexity_for(count: int) -> float:
    """t-SNE's perplexity for so many vectors: 30, or a third of their neighbours' number."""
    return min(_PERPLEXITY, (count - 1) / 3)


def _checked(vectors: FloatArray, n: int, at_least: int = 1) -> FloatArray:
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) < at_least:
        raise ValueError(f"a projection needs vectors [m, D]; these have shape {vectors.shape}")
    if not np.isfinite(vectors).all():
        raise ValueError("some vectors hold values that are no numbers: try dtype float32")
    if n < 1:
        raise ValueError(f"a projection needs at least 1 dimension, not {n}")
    return vectors


def _normalised(vectors: FloatArray, how: str, shift: FloatArray, scale: FloatArray) -> FloatArray:
    if how == "unit":
        return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return (vectors - shift) / scale


def _rogues(basis: Basis, advice: bool) -> list[str]:
    """Components that are one dimension."""
    if not basis.explained_variance.any():
        return ["all vectors are equal: there is nothing to spread out"]
    found = []
    shares = zip(basis.components, basis.explained_variance, strict=True)
    for number, (axis, share) in enumerate(shares, start=1):
        dimension = int(np.abs(axis).argmax())
        loading = float(axis[dimension] ** 2)
        if share > 0 and loading > _ROGUE_SHARE:
            found.append(
                f"dimension {dimension} alone makes {loading:.0%} of component {number}: "
                f"a rogue dimension{_ADVICE[basis.normalise] if advice else ''}"
            )
    return found


def _owned(points: FloatArray, owners: Sequence[str], alike: str | None) -> list[str]:
    """Components that some of the rows fitted on make alone, as massive first tokens do.

    n of m rows that lie far from all others have about 1 − n/m of a component's squares, so
    that a share alone tells nothing of a large group: it is held against that of the others,
    row for row.
    """
    names, whose, counts = np.unique(np.asarray(owners), return_inverse=True, return_counts=True)
    found = []
    for number, coordinates in enumerate(points.T, start=1):
        squares = np.bincount(whose, coordinates**2)
        owner = int(squares.argmax())
        own, rest = float(squares[owner]), float(squares.sum() - squares[owner])
        rows, others = int(counts[owner]), len(points) - int(counts[owner])
        few = rows < _FEW_ROWS * len(points)
        larger = names[owner] == alike and own * others > _FAR_LARGER * rest * rows
        if (few or larger) and own > _ROGUE_SHARE * (own + rest):
            share = own / (own + rest)
            found.append(f"{names[owner]} alone makes {share:.0%} of component {number}")
    return found
