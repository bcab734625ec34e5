"""2,048 tokens: attention against eager transformers, and views that never hold it whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import explorer
from explorer.records import MapOptions
from explorer.views.heads.heatmap.compute import Region, head_map
from explorer.views.heads.overview.compute import heads_overview

N, LAST, FIRST = 2048, 32, 64
LAYER, HEAD, EARLY = 17, 3, 1


@pytest.fixture(scope="module")
def long(smollm2: explorer.LoadedModel) -> explorer.Capture:
    words = ["river", "stone", "apple", "cloud", "music", "garden", "window", "letter", "winter", "number"]
    rng = np.random.default_rng(0)
    text = " ".join(rng.choice(words) for _ in range(3 * N))
    ids = smollm2.tokenizer(text)["input_ids"][:N]
    cap = explorer.capture(smollm2, smollm2.tokenizer.decode(ids))
    assert len(cap.tokens) == N
    return cap


@pytest.fixture(scope="module")
def eager(smollm2: explorer.LoadedModel, long: explorer.Capture) -> dict[str, np.ndarray]:
    """Weights [H, rows, N] of the first and the last queries, from eager transformers.

    The first tokens of a causal model read as if nothing came after them. The last are read
    after a cache of all others, which eager attention never has to hold the map of.
    """
    ids = torch.from_numpy(long.stack().query_tokens.ids)[None]
    model = smollm2.model
    before = model.config._attn_implementation
    try:
        with torch.inference_mode():
            model.set_attn_implementation("sdpa")
            cache = model(ids[:, :-LAST], use_cache=True).past_key_values
            model.set_attn_implementation("eager")
            first = model(ids[:, :FIRST], output_attentions=True).attentions
            last = model(ids[:, -LAST:], past_key_values=cache, output_attentions=True).attentions[LAYER][0]
    finally:
        model.set_attn_implementation(before)
    return {"first": first[LAYER][0].numpy(), "early": first[EARLY][0].numpy(), "last": last.numpy()}


def test_rows_are_those_of_eager_transformers(long: explorer.Capture, eager: dict[str, np.ndarray]) -> None:
    stack = long.stack()
    first = stack.attention(LAYER, rows=slice(0, FIRST))
    np.testing.assert_allclose(first[:, :, :FIRST], eager["first"], atol=1e-5)
    assert not first[:, :, FIRST:].any()
    last = stack.attention(LAYER, rows=slice(N - LAST, N))
    np.testing.assert_allclose(last, eager["last"], atol=1e-5)


def test_a_window_down_to_single_cells(long: explorer.Capture, eager: dict[str, np.ndarray]) -> None:
    region = Region((N - 20, N - 10), (N - 40, N - 5), most=512)
    drawn = head_map(long, LAYER, HEAD, region=region)
    np.testing.assert_allclose(drawn.weights, eager["last"][HEAD, LAST - 20 : LAST - 10, N - 40 : N - 5], atol=1e-5)
    assert drawn.queries == long.tokens[N - 20 : N - 10]
    assert drawn.keys == long.tokens[N - 40 : N - 5]


def test_a_coarse_map_holds_the_largest_weight_of_each_block(
    long: explorer.Capture, eager: dict[str, np.ndarray]
) -> None:
    drawn = head_map(long, LAYER, HEAD, region=Region(most=512), block_bytes=2**20)
    assert drawn.weights.shape == (512, 512)
    pooled = eager["last"][HEAD].reshape(LAST // 4, 4, 512, 4).max(axis=(1, 3))
    np.testing.assert_allclose(drawn.weights[-LAST // 4 :], pooled, atol=1e-5)
    in_words = head_map(long, LAYER, HEAD, None, MapOptions(words=True), Region(most=512))
    assert max(in_words.weights.shape) <= 512


def test_the_picture_of_all_heads(
    long: explorer.Capture, eager: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long.stack(), "n_layers", EARLY + 1)  # the others cost as much each
    overview = heads_overview(long, tile=N // FIRST)
    assert overview.tiles.shape == (EARLY + 1, 9, N // FIRST, N // FIRST)
    # Each cell is 64 × 64 tokens; what it holds is the square root of its share of the largest.
    largest = long.attention(EARLY).max(axis=(1, 2))
    expected = np.sqrt(eager["early"].max(axis=(1, 2)) / largest)
    np.testing.assert_allclose(overview.tiles[EARLY, :, 0, 0], expected, atol=1e-4)
    assert not np.triu(overview.tiles[EARLY, HEAD], k=1).any()  # causal
    assert overview.tiles.max() == 1.0
