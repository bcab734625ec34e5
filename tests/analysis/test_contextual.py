"""Measures of a word's vectors: by hand on tiny ones, and as scikit-learn and plain loops."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_rand_score, silhouette_samples, silhouette_score

from explorer.analysis.measures.by_layer import CONTEXT_MEASURES, anchor_curves, context_curves
from explorer.analysis.measures.contextual import anisotropy, explainable_variance, intra_sentence, self_similarity
from explorer.analysis.measures.grouping import proposals
from explorer.analysis.measures.separation import sense_test, separation, silhouettes
from explorer.analysis.measures.verdict import where_senses_separate
from explorer.records import Anchor, LayerCurve, SenseTest, WordStudy
from explorer.session.jobs import Cancelled
from explorer.views.embeddings.layers.compute import layer_columns, word_layers
from tests.captures_by_hand import reading, studied, tokens

RIGHT, UP, LEFT = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
DIAGONAL = [1.0, 1.0]
HALF = 1 / math.sqrt(2)  # cosine of 45 degrees


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


class TestByHand:
    def test_self_similarity(self) -> None:
        assert self_similarity(np.array([RIGHT, RIGHT, RIGHT])) == pytest.approx(1)
        assert self_similarity(np.array([RIGHT, LEFT])) == pytest.approx(-1)
        # 0, 1/√2 and 1/√2; lengths do not matter.
        vectors = np.array([RIGHT, UP, DIAGONAL]) * [[1], [5], [0.1]]
        assert self_similarity(vectors) == pytest.approx(2 * HALF / 3)
        assert math.isnan(self_similarity(np.array([RIGHT])))

    def test_anisotropy_leaves_out_pairs_of_one_sentence(self) -> None:
        vectors = np.array([RIGHT, UP, DIAGONAL])
        assert anisotropy(vectors, np.array([0, 0, 1])) == pytest.approx(HALF)
        assert anisotropy(vectors, np.array([0, 1, 2])) == pytest.approx(2 * HALF / 3)
        assert math.isnan(anisotropy(vectors, np.array([4, 4, 4])))

    def test_explainable_variance_is_not_centred(self) -> None:
        assert explainable_variance(np.array([RIGHT, RIGHT])) == pytest.approx(1)
        assert explainable_variance(np.array([RIGHT, UP])) == pytest.approx(0.5)
        # Singular values 2 and 1 of diag(2, 1).
        assert explainable_variance(np.array([[2.0, 0], [0, 1.0]])) == pytest.approx(4 / 5)
        assert math.isnan(explainable_variance(np.array([RIGHT])))

    def test_intra_sentence(self) -> None:
        # The mean of right and up is the diagonal, at 45 degrees to both.
        assert intra_sentence(np.array([[RIGHT, UP]]))[0] == pytest.approx(HALF)
        assert intra_sentence(np.array([[UP, UP]]))[0] == pytest.approx(1)

    def test_separation(self) -> None:
        """Cosine distance 1 between the senses, 0 within them."""
        assert separation(np.array([RIGHT, RIGHT, UP, UP]), "aabb") == pytest.approx(1)
        # Each stands with one of the other sense: a = 1, b = (0 + 1) / 2.
        assert separation(np.array([RIGHT, UP, RIGHT, UP]), "aabb") == pytest.approx(-0.5)

    @pytest.mark.parametrize("senses", ["aaaa", "aaab", ["", "", "a", "a"], ["a", "a", "b", ""]])
    def test_separation_needs_two_senses_twice(self, senses: str) -> None:
        assert separation(random(4, 3), senses) is None
        assert sense_test(random(2, 4, 3), senses, range(4)) is None

    def test_equal_vectors_cannot_part(self) -> None:
        assert separation(np.ones((4, 3), dtype=np.float32) / 3, "aabb") is None
        assert sense_test(np.ones((2, 4, 3)), "aabb", range(4)) is None

    def test_occurrences_without_a_sense_take_no_part(self) -> None:
        vectors = random(6, 3)
        senses = ["a", "", "b", "a", "b", ""]
        assert separation(vectors, senses) == pytest.approx(
            silhouette_score(vectors[[0, 2, 3, 4]], ["a", "b", "a", "b"], metric="cosine")
        )


class TestAgainstOthers:
    VECTORS = random(40, 7, seed=1) + 0.5

    def test_pairs_in_plain_loops(self) -> None:
        sentences = np.repeat(np.arange(8), 5)
        pairs = list(itertools.combinations(range(40), 2))
        apart = [cosine(self.VECTORS[i], self.VECTORS[j]) for i, j in pairs if sentences[i] != sentences[j]]
        assert anisotropy(self.VECTORS, sentences) == pytest.approx(np.mean(apart))
        every = [cosine(self.VECTORS[i], self.VECTORS[j]) for i, j in pairs]
        assert self_similarity(self.VECTORS) == pytest.approx(np.mean(every))

    @pytest.mark.parametrize("count", [3, 40])
    def test_variance_is_scikit_learns(self, count: int) -> None:
        vectors = self.VECTORS[:count]
        largest = TruncatedSVD(1, algorithm="arpack").fit(vectors).singular_values_[0]
        assert explainable_variance(vectors) == pytest.approx(largest**2 / (vectors**2).sum())

    @pytest.mark.parametrize("groups", [2, 3, 5])
    def test_silhouettes_are_scikit_learns(self, groups: int) -> None:
        rng = np.random.default_rng(groups)
        labels = np.stack([rng.permutation(np.arange(40) % groups) for _ in range(6)])
        labels[0] = np.where(np.arange(40) < groups - 1, np.arange(40), groups - 1)  # alone
        directions = self.VECTORS / np.linalg.norm(self.VECTORS, axis=1, keepdims=True)
        distances = 1 - directions @ directions.T
        np.fill_diagonal(distances, 0)
        expected = [silhouette_score(self.VECTORS, row, metric="cosine") for row in labels]
        np.testing.assert_allclose(silhouettes(distances, labels), expected, atol=1e-12)
        # The few that are alone count as 0 there, too.
        alone = silhouette_samples(self.VECTORS, labels[0], metric="cosine")[: groups - 1]
        assert (alone == 0).all()


class TestPermutations:
    VECTORS = np.stack(
        [random(8, 5, seed=seed) + np.repeat([[0], [far]], 4, axis=0) for seed, far in enumerate((0, 1, 3))]
    )

    def test_exact_p_in_a_plain_loop(self) -> None:
        test = sense_test(self.VECTORS, "aaaabbbb", range(8))
        assert test is not None
        ways = list(itertools.combinations(range(8), 4))
        permuted = [["a" if i in way else "b" for i in range(8)] for way in ways]
        chance = np.array([[silhouette_score(v, way, metric="cosine") for way in permuted] for v in self.VECTORS])
        here = np.array([silhouette_score(v, list("aaaabbbb"), metric="cosine") for v in self.VECTORS])
        assert (test.assignments, test.exact) == (70, True)
        np.testing.assert_allclose(test.separation.values, here)
        np.testing.assert_allclose(test.separation.null_mean, chance.mean(axis=1))
        np.testing.assert_allclose(test.separation.null_std, chance.std(axis=1))
        np.testing.assert_allclose(test.p, (chance >= here[:, None] - 1e-9).mean(axis=1))
        largest = chance.max(axis=0)
        corrected = [(largest >= value - 1e-9).mean() for value in here]
        np.testing.assert_allclose(test.p_corrected, corrected)
        # Swapping the two names changes nothing: 2 of 70.
        assert test.smallest_p == pytest.approx(2 / 70)
        assert test.p[2] == pytest.approx(2 / 70)
        assert test.sentences == {"a": 4, "b": 4}

    @pytest.mark.parametrize(
        ("senses", "ways", "smallest"),
        [("aabb", 6, 2 / 6), ("aaabb", 10, 1 / 10), ("aabbcc", 90, 6 / 90), ("aabbb", 10, 0.1)],
    )
    def test_how_many_ways_there_are(self, senses: str, ways: int, smallest: float) -> None:
        test = sense_test(random(1, len(senses), 4), senses, range(len(senses)))
        assert test is not None
        assert (test.assignments, test.exact) == (ways, True)
        assert test.smallest_p == pytest.approx(smallest)

    def test_a_sentence_keeps_one_sense(self) -> None:
        """Eight occurrences in four sentences are permuted like four, not like eight."""
        test = sense_test(random(1, 8, 4), "aaaabbbb", [0, 0, 1, 1, 2, 2, 3, 3])
        assert test is not None
        assert test.assignments == 6
        assert test.sentences == {"a": 2, "b": 2}

    def test_many_sentences_are_drawn_and_seeded(self) -> None:
        vectors = np.stack([random(24, 6), random(24, 6) + np.repeat([[-4], [4]], 12, axis=0)])
        first, same, other = (sense_test(vectors, "a" * 12 + "b" * 12, range(24), seed) for seed in (0, 0, 1))
        assert first is not None and same is not None and other is not None
        assert (first.assignments, first.exact) == (2500, False)
        assert first.smallest_p == first.p[1] == first.p_corrected[1] == 1 / 2500
        np.testing.assert_array_equal(first.p, same.p)
        assert first.p[0] != other.p[0]
        assert first.p[0] == pytest.approx(other.p[0], abs=0.05)

    def test_a_layer_of_equal_vectors_is_left_out(self) -> None:
        vectors = np.concatenate([np.ones((1, 8, 5)), self.VECTORS])
        test, without = (sense_test(v, "aaaabbbb", range(8)) for v in (vectors, self.VECTORS))
        assert test is not None and without is not None
        assert np.isnan([test.separation.values[0], test.p[0], test.p_corrected[0]]).all()
        np.testing.assert_array_equal(test.p_corrected[1:], without.p_corrected)

    def test_false_alarms_are_as_rare_as_promised(self) -> None:
        """Of labels that mean nothing, 5% may seem to part at some of six layers."""
        alarms = [
            float(np.nanmin(test.p_corrected)) <= 0.05
            for seed in range(200)
            if (test := sense_test(random(6, 10, 4, seed=seed), "aaaaabbbbb", range(10)))
        ]
        assert len(alarms) == 200
        assert 0.005 < np.mean(alarms) < 0.11

    def test_it_can_be_cancelled(self) -> None:
        def cancel(_sentence: str, share: float | None) -> None:
            assert share == 0
            raise Cancelled

        with pytest.raises(Cancelled):
            sense_test(self.VECTORS, "aaaabbbb", range(8), progress=cancel)


def _study(senses: str = "aabb", sentences: int = 4, words: int = 5, layers: int = 3) -> WordStudy:
    captures = []
    for seed in range(sentences):
        of = tokens("an apple x y z", "an", "apple", "x", "y", "z")
        captures.append(
            reading(of, np.eye(words), hidden=random(layers, words, 6, seed=seed) + 0.4, static=random(words, 6))
        )
    return studied(captures, senses, "apple")


class TestByLayer:
    def test_corrections_are_the_papers(self) -> None:
        study = _study()
        curves = context_curves(study)
        others = study.sample
        for layer in range(3):
            common = anisotropy(others.vectors[layer], others.sentences)
            assert curves["anisotropy"].values[layer] == pytest.approx(common)
            own = study.contextual[layer]
            pairs = [cosine(own[i], own[j]) for i, j in itertools.combinations(range(4), 2)]
            assert curves["self_similarity"].values[layer] == pytest.approx(np.mean(pairs) - common)
            hidden = [random(3, 5, 6, seed=seed)[layer] + 0.4 for seed in range(4)]
            alike = [np.mean([cosine(x, h.mean(axis=0)) for x in h]) for h in hidden]
            assert curves["intra_sentence"].values[layer] == pytest.approx(np.mean(alike) - common)

    def test_random_words_are_as_many_and_of_different_sentences(self) -> None:
        """With one word a sentence there is only one draw, so the null is that very number."""
        study = _study(words=5)
        one = np.unique(study.sample.sentences, return_index=True)[1]
        sample = replace(
            study.sample,
            vectors=study.sample.vectors[:, one],
            static=study.sample.static[one],
            labels=tuple(study.sample.labels[i] for i in one),
            sentences=study.sample.sentences[one],
        )
        curves = context_curves(replace(study, sample=sample))
        for layer in range(3):
            # Half the pairs' mean is anisotropy by its own definition.
            assert curves["self_similarity"].null_mean[layer] == pytest.approx(0, abs=1e-12)
            assert curves["self_similarity"].null_std[layer] == pytest.approx(0, abs=1e-12)
            given = explainable_variance(study.contextual[layer])
            taken = explainable_variance(sample.vectors[layer])
            assert curves["mev"].values[layer] == pytest.approx(given - taken)

    def test_what_random_directions_give(self) -> None:
        """The spread of isotropic anisotropy, against drawn directions."""
        study = _study(words=5)
        curve = context_curves(study)["anisotropy"]
        shape = study.sample.vectors.shape[1:]
        drawn = [anisotropy(random(*shape, seed=i), study.sample.sentences) for i in range(2000)]
        assert np.mean(drawn) == pytest.approx(0, abs=0.005)
        np.testing.assert_allclose(curve.null_std, np.std(drawn), rtol=0.06)
        np.testing.assert_array_equal(curve.null_mean, 0)

    def test_one_sentence_has_no_random_words(self) -> None:
        layers = word_layers(_study("a", 1))
        for name, curve in layers.curves.items():
            assert np.isnan(curve.values).all(), name
            assert np.isnan(curve.null_mean).all(), name
        assert layers.test is None
        assert "nothing to tell apart" in where_senses_separate(layers)

    def test_draws_are_seeded(self) -> None:
        study = _study()
        first, same, other = (context_curves(study, seed)["mev"] for seed in (0, 0, 1))
        np.testing.assert_array_equal(first.values, same.values)
        assert (first.values != other.values).all()

    def test_anchors(self) -> None:
        study = _study()
        anchor = Anchor("pear", "The word is pear.", random(3, 6, seed=9), random(6))
        curves = anchor_curves(replace(study, anchors=(anchor,)))["pear"]
        for layer in range(3):
            own = [cosine(x, anchor.contextual[layer]) for x in study.contextual[layer]]
            assert curves.by_sense["a"][layer] == pytest.approx(np.mean(own[:2]))
            assert curves.by_sense["b"][layer] == pytest.approx(np.mean(own[2:]))
            every = [cosine(x, anchor.contextual[layer]) for x in study.sample.vectors[layer]]
            # Twenty draws of two of them.
            assert abs(curves.null_mean[layer] - np.mean(every)) < np.std(every)
        assert anchor_curves(study) == {}

    def test_every_measure_is_defined_and_has_a_column(self) -> None:
        anchor = Anchor("pear", "The word is pear.", random(3, 6, seed=9), random(6))
        columns = layer_columns(word_layers(replace(_study(), anchors=(anchor,))))
        for name, measure in CONTEXT_MEASURES.items():
            assert measure.formula and measure.source and measure.null and measure.reading
            assert {name, f"{name}_null", f"{name}_null_std"} <= columns.keys()
            low, high = measure.range
            assert ((columns[name] >= low) & (columns[name] <= high)).all()
        assert {
            "separation_p",
            "separation_p_corrected",
            "similarity:pear:a",
            "similarity:pear:b",
            "similarity:pear_null",
        } <= columns.keys()
        assert {len(column) for column in columns.values()} == {3}


def _layers(values: list[float], p: list[float], smallest: float = 0.01) -> str:
    blank = np.zeros(len(values))
    test = SenseTest(
        LayerCurve(np.array(values), blank, blank),
        np.array(p),
        np.array(p),
        smallest,
        {"fruit": 4, "company": 4},
        70,
        True,
    )
    return where_senses_separate(replace(word_layers(_study("a", 1)), test=test))


class TestInWords:
    @pytest.mark.parametrize(
        ("values", "p", "said"),
        [
            (
                [0.1, 0.2, 0.74, 0.6],
                [0.5, 0.2, 0.01, 0.03],
                "fruit and company separate from layer 2 on, most at layer 2 (0.74, p = 0.01, the "
                "smallest 4 + 4 sentences allow; corrected for looking at 4 layers)",
            ),
            (
                [0.5, 0.6, 0.1, 0.5],
                [0.04, 0.02, 0.6, 0.04],
                "separate from layer 0 to 1, most at layer 1 (0.60, p = 0.02; corrected",
            ),
            ([0.5, 0.6], [0.04, 0.02], "separate at every layer, most at layer 1"),
            ([0.1, 0.6, 0.1], [0.4, 0.02, 0.4], "separate at layer 1 only, most at"),
            (
                [0.1, 0.12],
                [0.5, 0.34],
                "do not separate at any layer beyond chance: the largest separation is 0.12, at layer 1 "
                "(p = 0.34, corrected for looking at 2 layers)",
            ),
            ([np.nan, 0.6, 0.7], [np.nan, 0.02, 0.01], "from layer 1 on, most at layer 2"),
        ],
    )
    def test_where_the_senses_separate(self, values: list[float], p: list[float], said: str) -> None:
        assert said in _layers(values, p)

    def test_too_few_sentences(self) -> None:
        said = _layers([0.1, 0.9], [0.5, 0.1], 0.1)
        assert "4 + 4 sentences are too few to show that fruit and company separate" in said
        assert "the smallest p they allow is 0.10" in said


class TestProposals:
    def test_groups_are_scikit_learns(self) -> None:
        centres = np.eye(5)[[0, 0, 0, 0, 1, 1, 1, 2, 2]] * 3
        vectors = centres + random(9, 5) * 0.1
        senses = ["a"] * 4 + ["b"] * 5
        found = proposals(vectors, senses)
        assert found is not None
        np.testing.assert_array_equal(found.groups, [0, 0, 0, 0, 1, 1, 1, 2, 2])
        assert found.rand == pytest.approx(adjusted_rand_score(senses, found.groups))
        assert list(found.tried) == list(range(2, 9))
        directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        for k, value in found.tried.items():
            groups = KMeans(k, n_init=10, random_state=0).fit_predict(directions)
            assert value == pytest.approx(silhouette_score(vectors, groups, metric="cosine"))
        assert found.silhouette == found.tried[3] == max(found.tried.values())

    def test_the_most_typical_is_nearest_to_the_mean(self) -> None:
        angles = np.radians([0, 10, 40, 180, 190, 200])
        vectors = np.column_stack([np.cos(angles), np.sin(angles)])
        found = proposals(vectors, [""] * 6)
        assert found is not None
        # Means of the directions point to about 16 and to 190 degrees.
        assert [members[0] for members in found.typical] == [1, 4]
        assert found.rand is None

    @pytest.mark.parametrize("vectors", [np.ones((5, 3)), np.array([RIGHT, UP]), np.array([RIGHT] * 4 + [UP])])
    def test_nothing_to_group(self, vectors: np.ndarray) -> None:
        assert proposals(vectors, [""] * len(vectors)) is None
