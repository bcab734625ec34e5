"""A head's weight matrices, against eager runs and the checkpoint's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.analysis.head_maps import head_maps
from tests.checkpoints import FAMILIES
from tests.conftest import Runs

RECORDED = [name for name, family in FAMILIES.items() if family.method == "recorder"]


ROTARY = ["llama", "mistral", "gemma", "gemma2", "gpt-neox"]


def _rotated(vectors: np.ndarray, d: int, theta: float = 10_000.0) -> np.ndarray:
    """Su et al. 2021 as Llama has it: dimension i turns with i + d/2, by position·theta^(−2i/d)."""
    turned = vectors.astype(np.float64).copy()
    angles = np.arange(len(vectors))[:, None] * theta ** (-2 * np.arange(d // 2) / d)
    first, second = turned[:, : d // 2].copy(), turned[:, d // 2 : d].copy()
    turned[:, : d // 2] = first * np.cos(angles) - second * np.sin(angles)
    turned[:, d // 2 : d] = second * np.cos(angles) + first * np.sin(angles)
    return turned


class TestMaps:
    @pytest.mark.parametrize("name", RECORDED)
    def test_the_weights_give_the_captured_values(self, runs: Runs, name: str) -> None:
        cap, _ = runs(name)
        for stack in cap.stacks:
            maps = head_maps(cap, 1, 3, stack)
            made = maps.given_keys @ maps.value.weight + maps.value.bias
            np.testing.assert_allclose(made, maps.v, atol=1e-4)
            assert maps.given_queries.shape == (len(maps.queries), 32)
            assert maps.rotated is (name in (*ROTARY, "modernbert", "gpt-oss"))

    @pytest.mark.parametrize("name", ROTARY)
    def test_before_rotation_turned_by_hand(self, runs: Runs, name: str) -> None:
        cap, _ = runs(name)
        maps = head_maps(cap, 1, 3)
        d = maps.q.shape[1] // 4 if name == "gpt-neox" else maps.q.shape[1]
        for before, used in ((maps.q_before, maps.q), (maps.k_before, maps.k)):
            np.testing.assert_allclose(_rotated(before, d), used, atol=1e-4)
            assert np.abs(before - used).max() > 0.01

    def test_berts_own_matrices(self, runs: Runs) -> None:
        cap, expected = runs("bert")
        layer = expected.model.bert.encoder.layer[2].attention.self
        maps = head_maps(cap, 2, 1)
        cut = slice(8, 16)  # the second head's rows
        for ours, module in ((maps.query, layer.query), (maps.key, layer.key), (maps.value, layer.value)):
            np.testing.assert_array_equal(ours.weight, module.weight.detach().numpy()[cut].T)
            np.testing.assert_array_equal(ours.bias, module.bias.detach().numpy()[cut])
        np.testing.assert_allclose(maps.given_queries, expected.hidden["encoder"][2], atol=1e-5)

    def test_gpt2s_fused_matrix_after_its_norm(self, runs: Runs) -> None:
        cap, expected = runs("gpt2")
        block = expected.model.transformer.h[1]
        with torch.inference_mode():
            given = block.ln_1(torch.from_numpy(expected.hidden["decoder"][1])).numpy()
        maps = head_maps(cap, 1, 2)
        np.testing.assert_allclose(maps.given_queries, given, atol=1e-5)
        weight = block.attn.c_attn.weight.detach().numpy()
        np.testing.assert_array_equal(maps.key.weight, weight[:, 32 + 16 : 32 + 24])

    def test_shared_keys_are_those_of_the_group(self, runs: Runs) -> None:
        cap, _ = runs("llama")  # 4 heads over 2
        assert [head_maps(cap, 0, head).kv_head for head in range(4)] == [0, 0, 1, 1]
        first, second = head_maps(cap, 0, 0), head_maps(cap, 0, 1)
        np.testing.assert_array_equal(first.key.weight, second.key.weight)
        assert not np.array_equal(first.query.weight, second.query.weight)
