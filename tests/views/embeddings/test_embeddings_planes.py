"""A word study's planes against scikit-learn, on states straight from transformers and by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler, normalize

import explorer
from explorer.analysis.vocabulary import vocabulary_sample
from explorer.capture.capture import capture
from explorer.records import Anchor, PlaneOptions, PlaneParts, StudyOptions, WordStudy
from explorer.views.embeddings.embeddings.compute import word_projection, word_projections
from explorer.views.embeddings.embeddings.distances import word_distances
from explorer.views.embeddings.study import word_study
from explorer.views.embeddings.word_caption import word_caption
from tests.browser import eager
from tests.conftest import Loader

APPLES = (
    ("fruit", "He picked a ripe apple from the old tree."),
    ("fruit", "She baked the sweet apple into a warm pie."),
    ("fruit", "The juice of an apple tastes fresh and sour."),
    ("company", "He bought a new apple laptop at the store."),
    ("company", "She joined the big apple office as a programmer."),
    ("company", "I sold my last apple shares on the stock market."),
)
TEXTS = [sentence for _, sentence in APPLES]


@pytest.fixture(scope="module", params=["minilm", "smollm2"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def loaded(name: str) -> explorer.LoadedModel:
    return explorer.load_model(name, device="cpu")


@pytest.fixture(scope="module")
def apples(loaded: explorer.LoadedModel) -> WordStudy:
    options = StudyOptions(anchors=("banana",))
    return word_study(lambda text: capture(loaded, text), APPLES, "apple", options)


@pytest.fixture(scope="module")
def states(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Hidden states [L+1, n, D] and table rows [n, D] by transformers alone."""
    contextual, static = eager.word_vectors(name, TEXTS, "apple")
    return contextual.astype(np.float64), static.astype(np.float64)


def _prepare(how: str, fitted: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both normalised by scikit-learn as the basis is that is fitted on the first."""
    if how == "standard":
        scaler = StandardScaler().fit(fitted)
        return scaler.transform(fitted), scaler.transform(vectors)
    return (normalize(fitted), normalize(vectors)) if how == "unit" else (fitted, vectors)


def _same_up_to_sign(ours: np.ndarray, theirs: np.ndarray) -> None:
    signs = np.sign((ours * theirs).sum(axis=0))
    # The two runs of the model agree to some 1e-5.
    np.testing.assert_allclose(ours * signs, theirs, atol=2e-3 * np.abs(theirs).max())


@pytest.mark.parametrize("basis", ["layer", "all", "vocabulary"])
@pytest.mark.parametrize("normalise", ["none", "unit", "standard"])
def test_every_basis_is_scikit_learns(
    apples: WordStudy, states: tuple[np.ndarray, np.ndarray], loaded: explorer.LoadedModel, basis: str, normalise: str
) -> None:
    contextual, static = states
    vocabulary = vocabulary_sample(loaded, 60) if basis == "vocabulary" else None
    planes = word_projections(apples, PlaneOptions(basis, normalise), vocabulary)
    assert [one.layer for one in planes] == list(range(len(contextual)))
    for layer in (1, len(contextual) // 2):
        together = np.concatenate([contextual[layer], static])
        fitted = {"layer": together, "all": np.concatenate([*contextual, static]), "vocabulary": vocabulary}[basis]
        assert fitted is not None
        fitted, shown = _prepare(normalise, fitted.astype(np.float64), together)
        pca = PCA(svd_solver="full").fit(fitted)
        ours = np.concatenate([planes[layer].points, planes[layer].static])
        _same_up_to_sign(ours, pca.transform(shown)[:, :2])
        ratios = pca.explained_variance_ratio_
        np.testing.assert_allclose(planes[layer].scree, ratios, atol=1e-4)
        np.testing.assert_allclose(planes[layer].explained_variance, ratios[:2], atol=1e-4)
        kept = ours.var(axis=0).sum() / shown.var(axis=0).sum()
        assert planes[layer].kept == pytest.approx(kept, abs=1e-4)


def test_static_vectors_are_one_point(apples: WordStudy) -> None:
    for one in word_projections(apples):
        np.testing.assert_allclose(one.static, one.static[:1].repeat(len(TEXTS), 0), atol=1e-9)


def test_neighbouring_layers_do_not_lie_mirrored(apples: WordStudy) -> None:
    planes = word_projections(apples)
    for before, after in pairwise(planes):
        assert (before.points * after.points + before.static * after.static).sum(axis=0).min() >= 0


def test_an_anchor_is_placed_and_not_fitted(apples: WordStudy) -> None:
    bare = replace(apples, anchors=())
    with_anchor, without = word_projections(apples)[2], word_projections(bare)[2]
    np.testing.assert_array_equal(with_anchor.points, without.points)
    assert with_anchor.anchors.shape == with_anchor.static_anchors.shape == (1, 2)
    assert without.anchors.shape == (0, 2)
    pca = PCA(2, svd_solver="full").fit(np.concatenate([apples.contextual[2], apples.static]))
    theirs = pca.transform(apples.anchors[0].contextual[2][None].astype(np.float64))
    np.testing.assert_allclose(np.abs(with_anchor.anchors), np.abs(theirs), atol=1e-4)


class TestByHand:
    """A study of three sentences, its vectors made up."""

    RNG = np.random.default_rng(3)

    @pytest.fixture
    def study(self, tiny: Loader) -> WordStudy:
        rows = (("a", "apple on a tree"), ("b", "an apple"), ("b", "the red apple fell"))
        made = word_study(lambda text: capture(tiny("bert"), text), rows, "apple")
        width = made.static.shape[1]
        return replace(
            made,
            contextual=self.RNG.normal(size=(3, 3, width)),
            static=self.RNG.normal(size=(1, width)).repeat(3, axis=0),
            sample=replace(made.sample, vectors=self.RNG.normal(size=(3, 2, width))),
        )

    def first(self, study: WordStudy) -> WordStudy:
        """The same with the first occurrence at position 0, and far away."""
        occurrences = (replace(study.occurrences[0], position=0), *study.occurrences[1:])
        far = study.contextual.copy()
        far[:, 0] *= 1e3
        return replace(study, occurrences=occurrences, contextual=far)

    def test_a_first_token_that_owns_a_component_is_named(self, study: WordStudy) -> None:
        (warning,) = word_projection(self.first(study), 1).warnings[:1]
        # One of six vectors, far from the others' mean, has 5/6 of the squares around the mean.
        assert warning == "the first token of sentence 1 alone makes 83% of component 1"

    @pytest.mark.parametrize(
        ("basis", "first", "share"), [("layer", 6, "75%"), ("layer", 8, "67%"), ("all", 4, "71%")]
    )
    def test_many_first_tokens_that_own_a_component_are_named(
        self, study: WordStudy, basis: str, first: int, share: str
    ) -> None:
        """Of 12 occurrences, over 7 layers; n of m rows far off have 1 − n/m of the squares.

        Layer: 6 or 8 of 24 rows, 12 of them static; all layers: 28 of 96.
        """
        width = study.static.shape[1]
        occurrences = tuple(
            replace(study.occurrences[0], sentence=n, position=0 if n < first else 3) for n in range(12)
        )
        plain = replace(
            study,
            occurrences=occurrences,
            contextual=self.RNG.normal(size=(7, 12, width)),
            static=self.RNG.normal(size=(12, width)),
            sample=replace(study.sample, vectors=self.RNG.normal(size=(7, 2, width))),
        )
        switches = PlaneOptions(basis)
        assert "first token" not in " ".join(word_projection(plain, 3, switches).warnings)
        far = plain.contextual.copy()
        far[:, :first] += 1e4 * self.RNG.normal(size=width)
        shown = word_projection(replace(plain, contextual=far), 3, switches)
        named = f"the first token of {first} sentences alone makes {share} of component 1"
        assert named in shown.warnings

    def test_position_0_can_be_left_out_of_the_fit(self, study: WordStudy) -> None:
        study = self.first(study)
        shown = word_projection(study, 1, PlaneOptions(drop_first=True))
        fitted = np.concatenate([study.contextual[1, 1:], study.static[1:]])
        theirs = PCA(2, svd_solver="full").fit(fitted).transform(study.contextual[1])
        _same_up_to_sign(shown.points, theirs)
        assert "the 2 vectors of “apple” (1 at position 0 left out) at layer 1" in shown.fit
        only = replace(study, occurrences=study.occurrences[:1] * 3)
        with pytest.raises(ValueError, match="first token of every sentence"):
            word_projection(only, 1, PlaneOptions(drop_first=True))

    @pytest.mark.parametrize("basis", ["layer", "all"])
    def test_one_sentence_and_its_static_vector_lie_on_a_line(self, study: WordStudy, basis: str) -> None:
        alone = replace(
            study,
            occurrences=study.occurrences[:1],
            contextual=study.contextual[:1, :1],
            static=study.static[:1],
            sample=replace(study.sample, vectors=study.sample.vectors[:1]),
        )
        shown = word_projection(alone, 0, PlaneOptions(basis))
        np.testing.assert_allclose(shown.explained_variance, [1, 0], atol=1e-12)
        apart = np.linalg.norm(alone.contextual[0, 0] - alone.static[0])
        np.testing.assert_allclose(abs(shown.points - shown.static), [[apart, 0]], atol=1e-9)

    def test_equal_vectors_are_one_point(self, study: WordStudy) -> None:
        same = replace(study, contextual=np.tile(study.static, (3, 1, 1)))
        shown = word_projection(same, 1)
        assert not shown.points.any()
        assert shown.kept is None
        assert "all vectors are equal" in shown.warnings[0]

    def test_longer_vectors_of_one_layer_are_told(self, study: WordStudy) -> None:
        longer = replace(study, contextual=study.contextual * np.array([1, 1, 50])[:, None, None])
        told = word_projection(longer, 0, PlaneOptions("all")).warnings[-1]
        assert told.startswith("vectors of layer 2 are ")
        assert word_projection(longer, 0, PlaneOptions("all", "unit")).warnings == ()

    def test_tsne_is_scikit_learns(self, study: WordStudy) -> None:
        shown = word_projection(study, 1, PlaneOptions(method="tsne"))
        vectors = np.concatenate([study.contextual[1], study.static[:1]])
        theirs = TSNE(2, perplexity=1, init="pca", random_state=0).fit_transform(vectors)
        np.testing.assert_allclose(shown.points, theirs[:3], rtol=1e-5)
        np.testing.assert_allclose(shown.static, theirs[[3, 3, 3]], rtol=1e-5)
        assert shown.explained_variance.shape == (0,)
        assert shown.fit.startswith("t-SNE of the 3 vectors")
        assert "neighbours, not distances" in shown.warnings[0]

    def test_what_tsne_cannot_place_is_said(self, study: WordStudy) -> None:
        anchored = replace(study, anchors=(Anchor("pear", "", study.contextual[:, 0], study.static[0]),))
        shown = word_projection(anchored, 1, PlaneOptions(method="tsne"))
        said = "are left out: t-SNE can place none."
        parts = PlaneParts(others=True)
        caption = word_caption(anchored, shown, parts)
        assert f"Anchors and other tokens of the sentences {said}" in caption
        assert f"Other tokens of the sentences {said}" in word_caption(study, shown, parts)
        assert said not in word_caption(study, shown)
        by_pca = word_caption(anchored, word_projection(anchored, 1), parts)
        assert "sentences are placed in the same basis, not fitted." in by_pca

    @pytest.mark.parametrize(
        ("switches", "said"),
        [
            (PlaneOptions("none"), "unknown basis 'none': use layer, all, vocabulary"),
            (PlaneOptions(normalise="max"), "unknown normalisation 'max': use none, unit"),
            (PlaneOptions("all", method="tsne"), "t-SNE has no axes"),
            (PlaneOptions("vocabulary"), "needs a sample of the vocabulary"),
        ],
    )
    def test_unusable_switches(self, study: WordStudy, switches: PlaneOptions, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            word_projection(study, 1, switches)

    def test_mean_distances_by_hand(self, study: WordStudy) -> None:
        width = study.static.shape[1]
        axes = np.eye(width)
        layer = np.stack([axes[0], axes[1], 3 * axes[1]])
        of = replace(study, contextual=layer[None], static=np.tile(axes[0], (3, 1)))
        shown = replace(
            word_projection(study, 0), points=np.array([[0.0, 0], [3, 4], [3, 0]]), static=np.zeros((3, 2))
        )
        made = word_distances(of, shown)
        assert made.pairs == ("within a", "within b", "between senses", "to static")
        assert made.cosine == (None, 0, 1, pytest.approx(2 / 3))
        both = (np.sqrt(2) + np.sqrt(10)) / 2
        assert made.euclidean == (None, 2, pytest.approx(both), pytest.approx(2 * both / 3))
        assert made.drawn == (None, 4, 4, pytest.approx(8 / 3))


class TestVocabularySample:
    def test_rows_are_the_tables_and_ordinary(self, minilm: explorer.LoadedModel) -> None:
        table = minilm.model.get_input_embeddings().weight.detach().numpy()
        place = {row.tobytes(): index for index, row in enumerate(table)}
        sample = vocabulary_sample(minilm, 200)
        assert sample.shape == (200, table.shape[1])
        tokens = [minilm.tokenizer.decode([place[row.tobytes()]]) for row in sample]
        assert len(set(tokens)) == 200
        assert all(any(c.isalpha() for c in token) for token in tokens)
        assert not any(token.startswith("[") for token in tokens)
        np.testing.assert_array_equal(sample, vocabulary_sample(minilm, 200))
        assert not np.array_equal(sample, vocabulary_sample(minilm, 200, seed=1))
