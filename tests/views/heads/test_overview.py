"""The picture of all heads, worked out by hand."""

from __future__ import annotations

import numpy as np

import explorer
from explorer.views.heads.overview.compute import heads_overview
from tests.captures_by_hand import HandCapture, HandStack, tokens
from tests.conftest import Loader


class TestOverview:
    def test_pooled_by_maximum_and_scaled_by_hand(self) -> None:
        weights = np.zeros((1, 1, 4, 4))
        weights[0, 0] = [[0.1, 0.9, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0.225], [0, 0, 0.09, 0]]
        of = tokens("a b c d", *"abcd")
        overview = heads_overview(HandCapture(HandStack(of, of, weights), "a b c d"), tile=2)
        np.testing.assert_allclose(overview.tiles[0, 0], [[1, 0], [0, 0.5]])

    def test_in_blocks_of_rows_as_at_once(self) -> None:
        weights = np.random.default_rng(0).random((2, 3, 37, 37), dtype=np.float32)
        of = tokens(" ".join("a" * 37), *"a" * 37)
        cap = HandCapture(HandStack(of, of, weights), of.texts[0])
        starts = np.arange(28) * 37 // 28
        pooled = np.array(
            [
                [
                    [
                        [head[a:b, c:d].max() for c, d in zip(starts, [*starts[1:], 37], strict=True)]
                        for a, b in zip(starts, [*starts[1:], 37], strict=True)
                    ]
                    for head in layer
                ]
                for layer in weights
            ]
        )
        expected = np.sqrt(pooled / pooled.max(axis=(2, 3), keepdims=True))
        for block_bytes in (1, 5000, 10**9):
            overview = heads_overview(cap, block_bytes=block_bytes)
            np.testing.assert_allclose(overview.tiles, expected, rtol=1e-6)

    def test_a_small_map_fills_its_tile(self) -> None:
        of = tokens("a b", *"ab")
        weights = np.array([[1.0, 0.0], [0.25, 0.75]])[None, None]
        overview = heads_overview(HandCapture(HandStack(of, of, weights), "a b"), tile=4)
        by_hand = np.sqrt(np.kron(weights[0, 0], np.ones((2, 2))))
        np.testing.assert_allclose(overview.tiles[0, 0], by_hand)

    def test_a_head_without_weight_is_blank(self) -> None:
        of = tokens("a b", *"ab")
        overview = heads_overview(HandCapture(HandStack(of, of, np.zeros((1, 1, 2, 2))), "a b"))
        assert not overview.tiles.any()

    def test_every_head_of_a_model(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), "the cat sat on the mat")
        overview = heads_overview(cap, tile=3)
        assert overview.causal
        n = len(cap.tokens)
        edges = [0, n // 3, 2 * n // 3, n]
        for layer in range(cap.n_layers):
            for head in range(cap.n_heads):
                whole = cap.attention(layer, head)
                for i in range(3):
                    for j in range(3):
                        block = whole[edges[i] : edges[i + 1], edges[j] : edges[j + 1]]
                        np.testing.assert_allclose(
                            overview.tiles[layer, head, i, j] ** 2, block.max() / whole.max(), rtol=1e-5
                        )
