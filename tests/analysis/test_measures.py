"""Measures of heads, worked by hand on a few tokens; and in blocks as on the whole."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, replace
from math import log, nan

import numpy as np
import pytest

from explorer.analysis.measures import MEASURES, best_offset, compute_all, pattern_match
from explorer.analysis.measures.blocks import BLOCK_BYTES
from explorer.analysis.measures.measure import means_over_queries
from tests.captures_by_hand import (
    BOTH_WAYS,
    LEFT_TO_RIGHT,
    TOKENS,
    HandCapture,
    HandStack,
    by_hand,
    masked_capture,
    random_weights,
    repeating,
    tokens,
    with_ids,
)

KEYS = [
    "entropy",
    "entropy_share",
    "distance",
    "previous_token",
    "next_token",
    "same_token",
    "sink_first",
    "sink_special",
    "sink_punctuation",
    "duplicate_token",
    "induction",
]


BY_HAND = {
    "entropy": ((0 + 1 + 2 + 1.5) / 4 * log(2), (0 + 1 + 1.5 + 1.75) / 4 * log(2)),
    "entropy_share": (
        (0 + 1 + 2 + 1.5) / 4 / 2,
        (1 + 1.5 * log(2) / log(3) + 1.75 / 2) / 3,  # the first query sees one key
    ),
    "distance": (
        (0 + 0.5 + (0.5 + 0.25 + 0 + 0.25) + (0 + 1 + 0.25 + 0)) / 4,
        (0 + 0.5 + (0.5 + 0.25) + (0.375 + 0.25 + 0.25)) / 4,
    ),
    "previous_token": ((0.5 + 0.25 + 0.25) / 3, (0.5 + 0.25 + 0.25) / 3),
    "next_token": ((0 + 0 + 0.25) / 3, nan),
    "same_token": ((1 + 0.5 + 0.25 + 0.25) / 4, (1 + 0.5 + 0.5 + 0.5) / 4),
    "sink_first": ((1 + 0.5 + 0.25 + 0) / 4, (1 + 0.5 + 0.25 + 0.125) / 4),
    "sink_special": ((1 + 0.5 + 0.25 + 0) / 4, (1 + 0.5 + 0.25 + 0.125) / 4),
    "sink_punctuation": ((0 + 0 + 0.25 + 0.25) / 4, (0 + 0 + 0.5 + 0.25) / 4),
    "duplicate_token": (0.5, 0.125),  # the last "the" on the first
    "induction": (0.25, 0.25),  # the last "the" on the comma
}


def _one(name: str, cap: HandCapture) -> float:
    return float(MEASURES[name].compute(cap)[0, 0])


class TestByHand:
    def test_all_are_there(self) -> None:
        assert list(MEASURES) == list(BY_HAND) == KEYS

    @pytest.mark.parametrize("name", KEYS)
    def test_both_ways(self, name: str) -> None:
        assert _one(name, by_hand(BOTH_WAYS)) == pytest.approx(BY_HAND[name][0], abs=1e-7)

    @pytest.mark.parametrize("name", KEYS)
    def test_left_to_right(self, name: str) -> None:
        cap = by_hand(LEFT_TO_RIGHT, causal=True)
        assert _one(name, cap) == pytest.approx(BY_HAND[name][1], abs=1e-7, nan_ok=True)

    def test_every_head_in_its_place(self) -> None:
        """Two layers of three heads, each wholly on one key: that key's measures only."""
        weights = np.zeros((2, 3, 4, 4))
        for layer, head in np.ndindex(2, 3):
            weights[layer, head, :, (layer + head) % 4] = 1
        found = compute_all(by_hand(weights))
        assert all(values.shape == (2, 3) and values.dtype == np.float64 for values in found.values())
        np.testing.assert_array_equal(found["sink_first"], [[1, 0, 0], [0, 0, 0]])
        np.testing.assert_array_equal(found["sink_punctuation"], [[0, 0, 1], [0, 1, 0]])
        np.testing.assert_array_equal(found["duplicate_token"], [[0, 1, 0], [1, 0, 0]])
        np.testing.assert_allclose(found["previous_token"], [[1 / 3] * 3, [1 / 3, 1 / 3, 0]])
        np.testing.assert_allclose(found["distance"], [[1.5, 1, 1], [1, 1, 1.5]])

    def test_some_by_name(self) -> None:
        found = compute_all(by_hand(BOTH_WAYS), names=["induction", "entropy"])
        assert list(found) == ["induction", "entropy"]
        with pytest.raises(ValueError, match="unknown measure 'entrop': use entropy, entropy_sh"):
            compute_all(by_hand(BOTH_WAYS), names=["entrop"])

    def test_what_is_told(self) -> None:
        for name, measure in MEASURES.items():
            assert measure.name == name
            told = (measure.title, measure.formula, measure.source, measure.unit, measure.reading)
            assert all((*told, measure.undefined))
            assert measure.range[0] == 0
            assert measure.range[1] == (None if name in ("entropy", "distance") else 1)


class TestUndefined:
    """What a measure says of itself is what it does."""

    def _said(self, *words: str) -> set[str]:
        return {name for name, one in MEASURES.items() if any(word in one.undefined for word in words)}

    def _found(self, cap: HandCapture) -> set[str]:
        return {name for name, values in compute_all(cap).items() if np.isnan(values).all()}

    def test_causal_and_no_repeats(self) -> None:
        cap = by_hand(LEFT_TO_RIGHT, with_ids(TOKENS, 7, 1, 2, 3), causal=True)
        assert self._found(cap) == self._said("causal", "comes twice")

    def test_a_single_token(self) -> None:
        cap = masked_capture(tokens("a", "a"), np.ones((1, 1, 1, 1)))
        assert self._found(cap) == self._said("one token", "more than one key", "comes twice")


class TestCopies:
    def test_no_repeats(self) -> None:
        cap = by_hand(BOTH_WAYS, with_ids(TOKENS, 7, 1, 2, 3))
        assert np.isnan(_one("duplicate_token", cap))
        assert np.isnan(_one("induction", cap))

    def test_special_tokens_are_no_repeats(self) -> None:
        of = with_ids(tokens("a b", "[SEP]", "a", "b", "[SEP]"), 9, 1, 2, 9)
        assert np.isnan(_one("duplicate_token", by_hand(BOTH_WAYS, of)))
        assert np.isnan(_one("induction", by_hand(BOTH_WAYS, of)))

    def test_several_copies_are_summed(self) -> None:
        """a a b a: the second on the first; the last on both, and on what followed them."""
        of = with_ids(tokens("a a b a", "a", "a", "b", "a"), 1, 1, 2, 1)
        cap = by_hand(LEFT_TO_RIGHT, of, causal=True)
        assert _one("duplicate_token", cap) == pytest.approx((0.5 + (0.125 + 0.125)) / 2)
        assert _one("induction", cap) == pytest.approx((0.5 + (0.125 + 0.25)) / 2)

    def test_special_token_after_a_copy_counts(self) -> None:
        """a [SEP] a: what stood after the copy is what induction looks at."""
        of = with_ids(tokens("a a", "a", "[SEP]", "a"), 1, 9, 1)
        weights = [[1, 0, 0], [0.5, 0.5, 0], [0.1, 0.2, 0.7]]
        assert _one("induction", by_hand(np.array(weights), of)) == pytest.approx(0.2)


class TestMasks:
    def test_window_of_two(self) -> None:
        """Each query sees itself and the one before; what it may not see is no zero."""
        mask = np.tri(4, dtype=bool) & ~np.tri(4, k=-2, dtype=bool)
        weights = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0.25, 0.75, 0], [0, 0, 0, 1]])
        cap = masked_capture(TOKENS, weights[None, None], mask, causal=True)
        found = {name: values[0, 0] for name, values in compute_all(cap).items()}
        assert found["previous_token"] == pytest.approx((0.5 + 0.25 + 0) / 3)
        assert np.isnan(found["duplicate_token"])  # the copy is out of sight
        assert found["induction"] == 0  # what followed it is not
        quarter = -(0.25 * log(0.25) + 0.75 * log(0.75)) / log(2)
        assert found["entropy_share"] == pytest.approx((1 + quarter + 0) / 3)

    def test_query_that_sees_nothing_has_no_value(self) -> None:
        mask = np.array([[False, False], [True, True]])
        of = tokens("a b", "a", "b")
        cap = masked_capture(of, np.array([[0, 0], [0.5, 0.5]])[None, None], mask)
        assert MEASURES["entropy"].compute(cap)[0, 0] == pytest.approx(log(2))
        assert MEASURES["sink_first"].compute(cap)[0, 0] == 0.5

    def test_cross_attention_has_no_positions(self) -> None:
        queries = with_ids(tokens("x y", "[BOS]", "x", "y"), 0, 1, 2)
        weights = np.full((1, 1, 3, 4), 0.25)
        cap = masked_capture(queries, weights, keys=TOKENS, name="cross")
        found = {name: values[0, 0] for name, values in compute_all(cap, "cross").items()}
        undefined = {name for name, value in found.items() if np.isnan(value)}
        assert undefined == {"distance", "previous_token", "next_token", "same_token", "duplicate_token", "induction"}
        assert undefined == {name for name, one in MEASURES.items() if "on cross attention" in one.undefined}
        assert found["entropy_share"] == pytest.approx(1)
        assert found["sink_first"] == found["sink_special"] == found["sink_punctuation"] == 0.25


class TestPunctuation:
    def test_marks_only(self) -> None:
        """Marks of any script count; letters, mixtures, specials and emoji do not."""
        of = tokens(
            "Dr. said, «well»… $5 。 🙂 ·",
            "[SEP]",
            "Dr.",
            "said",
            ",",
            "«",
            "well",
            "»",
            "…",
            "$",
            "5",
            "。",
            "🙂",
            "·",
        )
        weights = np.zeros((1, 1, len(of), len(of)))
        weights[0, 0] = 2.0 ** np.arange(len(of))  # each key its own bit
        marks = [3, 4, 6, 7, 8, 10, 12]
        assert _one("sink_punctuation", by_hand(weights, of)) == sum(2**place for place in marks)

    def test_label_where_a_token_has_no_place(self) -> None:
        of = replace(tokens("a", "a", "[X]", "[X]"), labels=("a", ",·1", ",·2"), special=np.zeros(3, dtype=bool))
        assert _one("sink_punctuation", by_hand(np.array([[0, 0.25, 0.5]] * 3), of)) == 0.75


@dataclass
class Watched(HandStack):
    """Puts down how much of a layer each call asked for."""

    asked: tuple[list[int], ...] = ()

    def attention(self, layer: int, head: int | None = None, rows: slice | None = None) -> np.ndarray:
        weights = super().attention(layer, head, rows)
        self.asked[layer].append(weights.shape[1])
        return weights


class TestBlocks:
    @pytest.mark.parametrize("causal", [False, True])
    def test_one_row_at_a_time(self, causal: bool) -> None:
        of = repeating(23)
        cap = by_hand(random_weights(3, 4, len(of), causal), of, causal)
        whole = compute_all(cap)
        for block_bytes in (1, 4 * 4 * len(of) * 5):  # a row, five rows
            parts = means_over_queries(cap, list(MEASURES.values()), block_bytes=block_bytes)
            for name, values in whole.items():
                np.testing.assert_allclose(parts[name], values, rtol=1e-6, err_msg=name)

    def test_one_pass_and_no_more_rows_than_fit(self) -> None:
        of = repeating(20)
        n = len(of)
        stack = Watched(of, of, random_weights(2, 3, n, False), asked=([], []))
        cap = HandCapture(stack, of.texts[0])
        means_over_queries(cap, list(MEASURES.values()), block_bytes=4 * 3 * n * 6 + 5)
        rows = [6] * (n // 6) + [n % 6] * (n % 6 > 0)
        assert stack.asked == (rows, rows)

    @pytest.mark.parametrize("rows", [1, 5])
    def test_patterns_and_offsets(self, rows: int) -> None:
        of = repeating(23)
        cap = by_hand(random_weights(3, 4, len(of), True), of, causal=True)
        size = 4 * 4 * len(of) * rows
        pattern = np.random.default_rng(1).random((len(of), len(of)))
        for kind in ("mul", "abs"):
            np.testing.assert_allclose(
                pattern_match(cap, pattern, kind, block_bytes=size), pattern_match(cap, pattern, kind), rtol=1e-6
            )
        parts, whole = best_offset(cap, block_bytes=size), best_offset(cap)
        np.testing.assert_array_equal(parts.offsets, whole.offsets)
        np.testing.assert_allclose(parts.scores, whole.scores)

    def test_progress_and_stopping(self) -> None:
        of = repeating(10)
        told: list[float | None] = []

        def tell(_sentence: str, share: float | None) -> None:
            told.append(share)
            if len(told) == 3:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            compute_all(by_hand(random_weights(4, 2, len(of), False), of), progress=tell)
        assert told == [0, 0.25, 0.5]


class Endless:
    """A long text's stack whose weights are made when asked for: uniform, of no memory."""

    name, causal, n_layers, n_heads, n_kv_heads = "encoder", False, 4, 32, 32

    def __init__(self, n: int) -> None:
        text = " ".join(["word"] * n)
        self.query_tokens = self.key_tokens = tokens(text, *text.split())
        self.largest = 0

    def attention(self, layer: int, head: int | None = None, rows: slice | None = None) -> np.ndarray:
        n = len(self.key_tokens)
        shape = (self.n_heads, len(range(n)[rows or slice(None)]), n)
        self.largest = max(self.largest, 4 * int(np.prod(shape)))
        return np.full(shape, 1 / n, dtype=np.float32)

    def allowed(self, layer: int, rows: slice | None = None) -> np.ndarray:
        n = len(self.key_tokens)
        return np.ones((len(range(n)[rows or slice(None)]), n), dtype=bool)


def test_memory_of_a_long_text() -> None:
    """1,024 tokens in 128 heads are 512 MB; what is held stays near the size of a block."""
    stack = Endless(1024)
    tracemalloc.start()
    try:
        found = compute_all(HandCapture(stack, ""))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert BLOCK_BYTES / 2 < stack.largest <= BLOCK_BYTES
    assert peak < 4 * BLOCK_BYTES
    np.testing.assert_allclose(found["entropy"], log(1024), rtol=1e-5)
    np.testing.assert_allclose(found["distance"], (1024 - 1 / 1024) / 3, rtol=1e-5)


def test_a_mask_by_hand_is_a_causal_stacks_own() -> None:
    hand = compute_all(by_hand(LEFT_TO_RIGHT, causal=True))
    mask = np.tri(4, dtype=bool)
    cap = masked_capture(TOKENS, LEFT_TO_RIGHT[None, None].astype(np.float32), mask, causal=True)
    for name, values in compute_all(cap).items():
        np.testing.assert_array_equal(values, hand[name])
