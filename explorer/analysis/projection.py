"""Projections of vectors to two or three dimensions, and what they leave out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explorer.records import Basis, FloatArray, Projection

NORMALISE = ("none", "unit", "standard")
METHODS = ("pca", "tsne")
_ROGUE_SHARE = 0.5  # of a component's squared length on one dimension, or of its variance from some rows
_FEW_ROWS = 0.25  # share of all rows below which an owner's rows are few
_FAR_LARGER = 3.5  # mean square of an owner's many rows over that of the others
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
    """PCA of vectors [m, D], as ``n`` axes for any other vectors.

    Singular value decomposition of the centred vectors, as scikit-learn's
    ``PCA(svd_solver="full")`` up to sign; a component's sign is chosen so that its largest
    loading is positive.

    Args:
        vectors: one vector per row.
        n: number of axes.
        normalise: as in ``project``.
        owners: name of each row's owner; a warning names one that dominates a component.
        alike: the owner with similar rows, such as first tokens: named even with many rows.
        advice: whether a warning suggests another normalisation.

    Raises:
        ValueError: an unknown normalisation, or vectors that are not a finite matrix.
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
    # Rounding leaves a little variance even in equal vectors: that is not an axis.
    if total > 1e-12 * max(1.0, float((data**2).sum())):
        axes[:rank] = components[:rank] * signs[:, None]
        scree[: len(variance)] = variance / total
    basis = Basis(normalise, shift, scale, mean, axes, scree[:n], scree)
    return replace(basis, warnings=(*_rogues(basis, advice), *_owned((data - mean) @ axes.T, owners, alike)))


def place(basis: Basis, vectors: FloatArray) -> FloatArray:
    """Coordinates [..., k] of vectors [..., D] in a basis, normalised as the basis is."""
    data = _normalised(np.asarray(vectors, dtype=np.float64), basis.normalise, basis.shift, basis.scale)
    points: FloatArray = (data - basis.mean) @ basis.components.T
    return points


def turn(basis: Basis, directions: FloatArray) -> FloatArray:
    """Coordinates [..., k] of differences of vectors [..., D]: the linear part of ``place``.

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
    """The basis with its axes reversed where ``signs`` [k] are −1."""
    return replace(basis, components=basis.components * np.asarray(signs)[:, None])


def project(
    vectors: FloatArray, n: int = 2, method: str = "pca", normalise: str = "none", drop_first: bool = False
) -> Projection:
    """Project vectors [m, D] to ``n`` dimensions.

    Args:
        vectors: one vector per row.
        n: dimensions of the points; those beyond the data's rank are 0.
        method: "pca" (see ``fit_basis``), or "tsne", scikit-learn's with a fixed seed and a
            perplexity of 30, less with fewer than 91 vectors (van der Maaten & Hinton 2008); it
            has no axes and explains no variance.
        normalise: "none", "unit" (each vector to length 1) or "standard" (each dimension
            to mean 0 and variance 1).
        drop_first: leave out the first row (a first token can dominate the first component).

    Raises:
        ValueError: an unknown method or normalisation, or vectors that are not a finite matrix.
    """
    if method not in METHODS:
        raise ValueError(f"unknown projection '{method}': use {' or '.join(METHODS)}")
    skipped = int(drop_first)
    vectors = _checked(vectors, n, at_least=1 + skipped)[skipped:]
    basis = fit_basis(vectors, n, normalise, [f"vector {skipped + row}" for row in range(len(vectors))])
    if method == "tsne":
        return _tsne(vectors, n, basis)
    return Projection(place(basis, vectors), basis.components, basis.mean, basis.explained_variance, basis.warnings)


def _tsne(vectors: FloatArray, n: int, basis: Basis) -> Projection:
    """Points by t-SNE, or by PCA for too few different vectors."""
    data = _normalised(vectors, basis.normalise, basis.shift, basis.scale)
    if min(data.shape) < max(3, n) or not basis.explained_variance.any():
        points, warning = place(basis, vectors), "too few different vectors for t-SNE: PCA is shown"
    else:
        from sklearn.manifold import TSNE  # slow to import, and rarely needed

        points = TSNE(n, perplexity=perplexity_for(len(data)), init="pca", random_state=_SEED).fit_transform(data)
        warning = _TSNE_WARNING
    return Projection(points.astype(np.float64), None, basis.mean, np.zeros(0), (warning,))


def perplexity_for(count: int) -> float:
    """t-SNE's perplexity for ``count`` vectors: 30, or less for a third of their neighbours."""
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
    """Warnings of components that are a single dimension."""
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
    """Warnings of components that one owner's rows dominate, as massive first tokens do.

    n of m rows that are far from all others have about 1 − n/m of a component's squares, so
    that the share says nothing about a large group: its mean square is compared with the others'.
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
