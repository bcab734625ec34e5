"""Another mask, and what later context moves, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import explorer
from explorer.views.inside.mask.compute import cut_after, masked_softmax, other_mask, right_context, token_at
from explorer.views.inside.mask.figure import context_caption, context_figure, mask_caption, other_figure
from tests.browser import eager
from tests.conftest import Runs


class TestMask:
    def test_a_mask_added_is_the_earlier_weights_over_their_sum(self, runs: Runs) -> None:
        cap, expected = runs("bert")
        own, other = other_mask(cap, 1, 2)
        weights = expected.attention["encoder"][1][2]
        earlier = np.tril(weights)
        np.testing.assert_allclose(own.weights, weights, atol=1e-5)
        np.testing.assert_allclose(other.weights, earlier / earlier.sum(axis=1, keepdims=True), atol=1e-5)
        assert other.causal
        assert "a causal mask added" in other_figure(other).layout.title.text
        assert f"{weights[2, 3:].sum():.0%} of its weight on later" in mask_caption(own, other, 2)

    def test_a_mask_taken_away_is_the_softmax_of_all_scores(self, runs: Runs) -> None:
        cap, expected = runs("gpt2")
        block = expected.model.transformer.h[1]
        with torch.inference_mode():
            made = block.attn.c_attn(block.ln_1(torch.from_numpy(expected.hidden["decoder"][1])))
        q, k = made.numpy()[:, 16:24], made.numpy()[:, 48:56]
        scores = q @ k.T / np.sqrt(8)
        expected_weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        _, other = other_mask(cap, 1, 2)
        np.testing.assert_allclose(other.weights, expected_weights, atol=1e-5)
        assert other.allowed.all()
        assert "the mask taken away" in other_figure(other).layout.title.text

    def test_a_window_stays(self, runs: Runs) -> None:
        cap, _ = runs("mistral")
        own, other = other_mask(cap, 0, 0)
        np.testing.assert_array_equal(other.allowed, own.allowed | own.allowed.T)

    def test_softmax_with_a_sink_by_hand(self) -> None:
        """Scores 0 and ln 3 beside a sink of 0: 1/(1+1) where one is allowed, 1/5 and 3/5."""
        scores = np.array([[0.0, np.log(3)], [0.0, np.log(3)]])
        allowed = np.array([[True, False], [True, True]])
        found = masked_softmax(scores, allowed, sink=0.0)
        np.testing.assert_allclose(found, [[0.5, 0], [0.2, 0.6]])

    def test_cross_attention_has_no_such_mask(self, runs: Runs) -> None:
        with pytest.raises(ValueError, match="no order to mask by"):
            other_mask(runs("bart")[0], 0, 0, "cross")

    @pytest.mark.parametrize("name", ["minilm", "smollm2"])
    def test_what_comes_later_moves_only_who_sees_it(self, name: str, request: pytest.FixtureRequest) -> None:
        loaded = request.getfixturevalue(name)
        text = "The apple that we saw announced a phone."
        whole = explorer.capture(loaded, text)
        query = whole.tokens.index("apple")
        assert cut_after(whole, query) == "The apple"
        curve = right_context(whole, explorer.capture(loaded, "The apple"), query)
        long, short = (eager.run(name, one).hidden[:, query] for one in (text, "The apple"))
        cosines_by_hand = [
            float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
            for a, b in zip(long.astype(float), short.astype(float), strict=True)
        ]
        np.testing.assert_allclose(curve.cosines, cosines_by_hand, atol=1e-5)
        if curve.causal:
            np.testing.assert_allclose(curve.cosines, 1, atol=1e-5)
            assert "keeps its vector at every layer" in context_caption([curve])
        else:
            assert curve.cosines.min() < 0.9
        assert len(context_figure([curve]).data[0].y) == len(curve.cosines)

    def test_a_token_nothing_follows_or_nobody_typed(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, "An apple")
        with pytest.raises(ValueError, match="nothing comes after “apple”"):
            cut_after(cap, 2)
        with pytest.raises(ValueError, match="“\\[CLS\\]” is no token of the first text"):
            cut_after(cap, 0)
        assert token_at(cap, 2) == 1
        with pytest.raises(ValueError, match="no token of minilm ends there"):
            token_at(cap, 3)
