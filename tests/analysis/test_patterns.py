"""Pattern match, best offset and head distance, worked by hand on a few tokens."""

from __future__ import annotations

from math import log, nan

import numpy as np
import pytest

from explorer.analysis.measures import MEASURES, best_offset, head_distance, pattern_match
from explorer.analysis.measures.distances import head_points
from tests.captures_by_hand import (
    BOTH_WAYS,
    LEFT_TO_RIGHT,
    TOKENS,
    by_hand,
    masked_capture,
    random_weights,
    repeating,
    tokens,
)


class TestPatternMatch:
    PREVIOUS = np.eye(4, k=-1)

    def test_transformer_lens_example(self) -> None:
        """1.3 of a total of 4 on the pattern."""
        weights = [[1, 0, 0, 0], [0.3, 0.7, 0, 0], [0.2, 0.6, 0.2, 0], [0.1, 0.2, 0.4, 0.3]]
        cap = by_hand(np.array(weights), causal=True)
        assert pattern_match(cap, self.PREVIOUS)[0, 0] == pytest.approx(0.325)

    def test_abs_by_hand(self) -> None:
        """Row by row: |1|, |.5−1|+.5, …; the pattern itself scores 1, all elsewhere −1."""
        off = [1, 0.5 + 0.5, 0.75 + 0.25 + 0.5, 0.75 + 0.125 + 0.125 + 0.5]
        cap = by_hand(LEFT_TO_RIGHT, causal=True)
        found = pattern_match(cap, self.PREVIOUS, kind="abs")
        assert found[0, 0] == pytest.approx(1 - sum(off) / 4)
        itself = np.eye(4)
        assert pattern_match(by_hand(itself), itself, kind="abs")[0, 0] == 1
        assert pattern_match(by_hand(itself), np.roll(itself, 1, 0), kind="abs")[0, 0] == -1

    def test_forbidden_cells_are_left_out(self) -> None:
        cap = by_hand(LEFT_TO_RIGHT, causal=True)
        both = self.PREVIOUS + self.PREVIOUS.T
        for kind in ("mul", "abs"):
            np.testing.assert_array_equal(pattern_match(cap, both, kind), pattern_match(cap, self.PREVIOUS, kind))

    def test_refused(self) -> None:
        cap = by_hand(BOTH_WAYS)
        with pytest.raises(ValueError, match=r"shape \(3, 4\); this text's is \(4, 4\)"):
            pattern_match(cap, np.ones((3, 4)))
        with pytest.raises(ValueError, match="unknown kind 'max': use mul or abs"):
            pattern_match(cap, np.ones((4, 4)), kind="max")
        for bad in (2.0, -1.0, nan):
            with pytest.raises(ValueError, match="between 0 and 1"):
                pattern_match(cap, np.full((4, 4), bad))


class TestBestOffset:
    def test_by_hand(self) -> None:
        """Offsets gather: 0 2, −1 1, −2 .75, −3 0, 1 .25, …: themselves, 2 over 4 queries."""
        found = best_offset(by_hand(BOTH_WAYS))
        assert (found.offsets[0, 0], found.scores[0, 0]) == (0, pytest.approx(0.5))

    @pytest.mark.parametrize("offset", [-3, -1, 2])
    def test_finds_an_offset(self, offset: int) -> None:
        n = 9
        weights = np.full((n, n), 0.04)
        for query in range(n):
            if 0 <= query + offset < n:
                weights[query, query + offset] = 0.6
        of = repeating(n)
        found = best_offset(by_hand(weights, of))
        assert found.offsets[0, 0] == offset
        assert found.scores[0, 0] == pytest.approx(0.6)

    def test_masked_queries_are_left_out(self) -> None:
        """A window of two: three queries see the token before them."""
        mask = np.tri(4, dtype=bool) & ~np.tri(4, k=-2, dtype=bool)
        weights = np.array([[1, 0, 0, 0], [0.9, 0.1, 0, 0], [0, 0.8, 0.2, 0], [0, 0, 0.7, 0.3]])
        cap = masked_capture(TOKENS, weights[None, None], mask, causal=True)
        found = best_offset(cap)
        assert found.offsets[0, 0] == -1
        assert found.scores[0, 0] == pytest.approx(0.8)
        assert found.scores[0, 0] == pytest.approx(MEASURES["previous_token"].compute(cap)[0, 0])

    def test_cross_attention_has_none(self) -> None:
        cap = masked_capture(TOKENS, np.full((1, 1, 4, 4), 0.25), name="cross")
        with pytest.raises(ValueError, match="cross attention has no offsets"):
            best_offset(cap)

    def test_progress(self) -> None:
        told: list[float | None] = []
        weights = np.full((2, 1, 4, 4), 0.25)
        best_offset(by_hand(weights), progress=lambda _sentence, share: told.append(share))
        assert told == [0, 0.5]


class TestHeadDistance:
    def test_by_hand(self) -> None:
        """Two heads alike, one that never agrees (ln 2), one that half agrees."""
        on_first, on_second, on_both = [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]
        weights = np.array([[[row] * 2 for row in (on_first, on_first)], [[row] * 2 for row in (on_second, on_both)]])
        found = head_distance(by_hand(weights, tokens("a b", "a", "b")))
        half = 0.75 * log(4 / 3) + 0.25 * log(4) - 0.5 * log(2)
        expected = [[0, 0, log(2), half], [0, 0, log(2), half], [log(2), log(2), 0, half], [half, half, half, 0]]
        np.testing.assert_allclose(found, expected, atol=1e-6)

    @pytest.mark.parametrize("causal", [False, True])
    def test_plain_loops_and_blocks(self, causal: bool) -> None:
        of = repeating(11)
        weights = random_weights(2, 3, len(of), causal)
        cap = by_hand(weights, of, causal)
        rows = weights.reshape(6, len(of), len(of)).astype(np.float64)
        expected = np.zeros((6, 6))
        for one, other in np.ndindex(6, 6):
            for p, q in zip(rows[one], rows[other], strict=True):
                middle = (p + q) / 2
                for part in (p, q):
                    seen = part > 0
                    share = (part[seen] * np.log(part[seen] / middle[seen])).sum()
                    expected[one, other] += share / 2 / len(of)
        np.testing.assert_allclose(head_distance(cap), expected, atol=1e-6)
        np.testing.assert_allclose(head_distance(cap, block_bytes=1), expected, atol=1e-6)

    def test_sink_is_a_key_of_its_own(self) -> None:
        """All on one key against all on the learned sink: they never meet."""
        cap = by_hand(np.array([[[[1.0, 0.0]] * 2, [[0.0, 0.0]] * 2]]), tokens("a b", "a", "b"))
        assert head_distance(cap)[0, 1] == pytest.approx(log(2), abs=1e-6)

    def test_progress(self) -> None:
        told: list[float | None] = []
        head_distance(by_hand(BOTH_WAYS), progress=lambda _sentence, share: told.append(share))
        assert told == [0, 0.25, 0.5, 0.75]


class TestHeadPoints:
    def test_a_square_is_drawn_as_one(self) -> None:
        square = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=float)
        distances = np.linalg.norm(square[:, None] - square[None], axis=-1)
        found = head_points(distances, n_heads=2)
        drawn = np.linalg.norm(found.points[:, None] - found.points[None], axis=-1)
        np.testing.assert_allclose(drawn, distances, atol=1e-3)
        assert found.stress < 1e-3
        assert found.n_heads == 2

    def test_four_points_all_alike_far_do_not_fit_a_plane(self) -> None:
        """A regular tetrahedron: the stress says so."""
        assert 0.05 < head_points(1 - np.eye(4), n_heads=4).stress < 0.5

    @pytest.mark.parametrize("n", [1, 2])
    def test_one_and_two_heads(self, n: int) -> None:
        found = head_points((1 - np.eye(n)) * 0.3, n_heads=1)
        np.testing.assert_allclose(found.points, [[0, 0], [0.3, 0]][:n])

    def test_heads_all_alike(self) -> None:
        assert not head_points(np.zeros((5, 5)), n_heads=5).points.any()

    def test_same_seed_same_points(self) -> None:
        draw = np.random.default_rng(0).random((6, 6))
        distances = (draw + draw.T) * (1 - np.eye(6))
        np.testing.assert_array_equal(head_points(distances, 3).points, head_points(distances, 3).points)

    def test_refused(self) -> None:
        with pytest.raises(ValueError, match="have shape \\(2, 3\\)"):
            head_points(np.zeros((2, 3)), 1)
        with pytest.raises(ValueError, match="4 heads are no whole layers of 3"):
            head_points(np.zeros((4, 4)), 3)
