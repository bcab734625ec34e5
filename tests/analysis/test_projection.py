"""PCA against scikit-learn (identity 7), and what a picture must warn of."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler, normalize

from explorer.analysis.projection import fit_basis, place, project, turn

RNG = np.random.default_rng(7)
VECTORS = RNG.normal(size=(12, 40)) * np.linspace(3, 0.1, 40)


def same_up_to_sign(ours: np.ndarray, theirs: np.ndarray) -> None:
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=1e-9)


@pytest.mark.parametrize(
    ("normalise", "prepared"),
    [("none", VECTORS), ("unit", normalize(VECTORS)), ("standard", StandardScaler().fit_transform(VECTORS))],
)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_pca_is_scikit_learns(normalise: str, prepared: np.ndarray, n: int) -> None:
    theirs = PCA(n, svd_solver="full").fit(prepared)
    ours = project(VECTORS, n=n, normalise=normalise)
    same_up_to_sign(ours.points, theirs.transform(prepared))
    same_up_to_sign(ours.components.T, theirs.components_.T)
    np.testing.assert_allclose(ours.explained_variance, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(ours.mean, theirs.mean_, atol=1e-12)
    assert ours.explained_variance.sum() <= 1


def test_the_sign_does_not_hang_on_the_order_of_rows() -> None:
    forth, back = project(VECTORS), project(VECTORS[::-1])
    np.testing.assert_allclose(forth.points, back.points[::-1], atol=1e-9)
    largest = np.abs(forth.components).argmax(axis=1)
    assert (forth.components[[0, 1], largest] > 0).all()


def test_drop_first_leaves_the_first_row_out() -> None:
    outlier = np.concatenate([np.full((1, 40), 1e4), VECTORS])
    dropped = project(outlier, drop_first=True)
    same_up_to_sign(dropped.points, PCA(2, svd_solver="full").fit_transform(VECTORS))
    assert project(outlier).explained_variance[0] > 0.99


def test_one_vector_has_nothing_to_spread() -> None:
    result = project(VECTORS[:1])
    assert result.points.tolist() == [[0, 0]]
    assert result.explained_variance.tolist() == [0, 0]
    assert result.warnings == ("all vectors are equal: there is nothing to spread out",)


@pytest.mark.parametrize("normalise", ["none", "unit", "standard"])
def test_equal_vectors_have_nothing_to_spread(normalise: str) -> None:
    result = project(np.tile(VECTORS[0].astype(np.float32), (5, 1)), normalise=normalise)
    assert not result.points.any()
    assert not result.explained_variance.any()
    assert len(result.warnings) == 1


def test_two_vectors_lie_on_one_axis() -> None:
    result = project(VECTORS[:2])
    distance = np.linalg.norm(VECTORS[0] - VECTORS[1])
    np.testing.assert_allclose(np.abs(result.points[:, 0]), distance / 2)
    np.testing.assert_allclose(result.points[:, 1], 0, atol=1e-9)
    np.testing.assert_allclose(result.explained_variance, [1, 0], atol=1e-12)


def test_more_axes_than_dimensions_are_zero() -> None:
    result = project(VECTORS[:, :1], n=3)
    assert result.points.shape == (12, 3)
    assert not result.points[:, 1:].any()
    np.testing.assert_allclose(result.explained_variance, [1, 0, 0])


def test_a_zero_vector_stays_one_under_unit_norm() -> None:
    result = project(np.array([[0.0, 0.0], [3.0, 4.0]]), normalise="unit")
    np.testing.assert_allclose(np.linalg.norm(result.points[0] - result.points[1]), 1)


def test_a_rogue_dimension_is_named() -> None:
    rogue = VECTORS.copy()
    rogue[:, 17] *= 300
    assert "dimension 17" in project(rogue).warnings[0]
    assert "component 1" in project(rogue).warnings[0]
    assert project(rogue, normalise="standard").warnings == ()
    spread = VECTORS @ np.linalg.qr(RNG.normal(size=(40, 40)))[0]
    assert project(spread).warnings == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (dict(vectors=VECTORS, method="magic"), "unknown projection 'magic': use pca or tsne"),
        (dict(vectors=VECTORS, normalise="max"), "unknown normalisation 'max': use none, unit"),
        (dict(vectors=VECTORS[0]), "these have shape (40,)"),
        (dict(vectors=VECTORS[:0]), "these have shape (0, 40)"),
        (dict(vectors=VECTORS[:1], drop_first=True), "these have shape (1, 40)"),
        (dict(vectors=VECTORS, n=0), "at least 1 dimension, not 0"),
        (dict(vectors=np.full((3, 2), np.nan)), "no numbers"),
    ],
)
def test_unusable_input_is_one_clear_line(arguments: dict, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        project(**arguments)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


OTHERS = RNG.normal(size=(5, 40))
NOBODY = ["somebody"] * 12


@pytest.mark.parametrize("normalise", ["none", "standard"])
def test_other_vectors_are_placed_as_scikit_learn_does(normalise: str) -> None:
    scaler = StandardScaler(with_mean=normalise == "standard", with_std=normalise == "standard")
    theirs = PCA(2, svd_solver="full").fit(scaler.fit_transform(VECTORS))
    basis = fit_basis(VECTORS, 2, normalise, NOBODY)
    same_up_to_sign(place(basis, OTHERS), theirs.transform(scaler.transform(OTHERS)))
    ratios = PCA(svd_solver="full").fit(scaler.transform(VECTORS)).explained_variance_ratio_
    np.testing.assert_allclose(basis.scree, ratios, atol=1e-12)
    # A difference is turned as the difference of the places.
    between = place(basis, OTHERS[0]) - place(basis, OTHERS[1])
    np.testing.assert_allclose(turn(basis, OTHERS[0] - OTHERS[1]), between, atol=1e-12)


def test_a_difference_has_no_place_under_unit_norm() -> None:
    with pytest.raises(ValueError, match="a difference of vectors has no place"):
        turn(fit_basis(VECTORS, 2, "unit", NOBODY), OTHERS)


def test_a_vector_that_owns_a_component_is_named() -> None:
    far = VECTORS.copy()
    far[3] += 50 * RNG.normal(size=40)
    warned = [w for w in project(far).warnings if "alone makes" in w]
    assert warned[0].startswith("vector 3 alone makes 9")
    assert warned[0].endswith("% of component 1")
    assert not any("vector" in w for w in project(far[:3]).warnings)
    assert "vector 3 " in project(far, drop_first=True).warnings[0]


@pytest.mark.parametrize(("count", "perplexity"), [(12, 11 / 3), (5, 4 / 3)])
def test_tsne_is_scikit_learns(count: int, perplexity: float) -> None:
    theirs = TSNE(2, perplexity=perplexity, init="pca", random_state=0)
    ours = project(VECTORS[:count], method="tsne")
    np.testing.assert_allclose(ours.points, theirs.fit_transform(VECTORS[:count]), rtol=1e-5)
    assert ours.components is None
    assert ours.explained_variance.shape == (0,)
    assert "t-SNE keeps neighbours, not distances" in ours.warnings[0]


@pytest.mark.parametrize("vectors", [VECTORS[:2], np.tile(VECTORS[0], (6, 1))])
def test_too_few_vectors_for_tsne_are_shown_by_pca(vectors: np.ndarray) -> None:
    ours = project(vectors, method="tsne")
    np.testing.assert_array_equal(ours.points, project(vectors).points)
    assert "too few different vectors" in ours.warnings[0]
