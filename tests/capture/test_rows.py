"""Blocks of queries: the rows of the whole map, and nothing else computed for them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import explorer
from explorer.capture import recorder
from tests.checkpoints import FAMILIES, LONG, TEXT
from tests.conftest import Loader

ROWS = [slice(0, 1), slice(3, 7), slice(5, None), slice(None, None), slice(4, 4)]


@pytest.mark.parametrize("name", list(FAMILIES))
def test_blocks_are_the_whole(name: str, tiny: Loader) -> None:
    """Shared keys, masks of every kind, biases, soft caps, sinks, and eager attention."""
    text = LONG if name in ("mistral", "gemma2", "gpt-oss", "modernbert") else TEXT
    target = TEXT if FAMILIES[name].is_encoder_decoder else None
    cap = explorer.capture(tiny(name), text, target=target)
    for stack in map(cap.stack, cap.stacks):
        for layer in range(stack.n_layers):
            whole, allowed = stack.attention(layer), stack.allowed(layer)
            for rows in ROWS:
                block = stack.attention(layer, rows=rows)
                np.testing.assert_allclose(block, whole[:, rows], rtol=0, atol=1e-6)
                one = stack.attention(layer, 1, rows=rows)
                np.testing.assert_allclose(one, whole[1, rows], rtol=0, atol=1e-6)
                np.testing.assert_array_equal(stack.allowed(layer, rows), allowed[rows])
                assert (block[:, ~allowed[rows]] == 0).all()


def test_only_the_rows_are_computed(monkeypatch: pytest.MonkeyPatch, tiny: Loader) -> None:
    """No softmax over more queries than were asked for."""
    cap = explorer.capture(tiny("gpt2"), TEXT)
    seen = []
    softmax = torch.Tensor.softmax

    def watched(scores: torch.Tensor, dim: int) -> torch.Tensor:
        seen.append(tuple(scores.shape))
        return softmax(scores, dim)

    monkeypatch.setattr(torch.Tensor, "softmax", watched)
    cap.attention(1, rows=slice(2, 5))
    cap.attention(1, 0, rows=slice(2, 5))
    n = len(cap.tokens)
    assert seen == [(4, 3, n), (1, 3, n)]


def test_mask_of_one_row_serves_every_query() -> None:
    """A mask [1, 1, K], the same for all queries; the second key is forbidden."""
    call = recorder.AttentionCall(
        module=torch.nn.Identity(),
        query=torch.ones(1, 3, 2),
        key=torch.ones(1, 2, 2),
        value=torch.ones(1, 2, 2),
        mask=torch.tensor([[[True, False]]]),
        causal=False,
        scale=1.0,
    )
    np.testing.assert_array_equal(call.weights(0, slice(1, 3)), [[1, 0], [1, 0]])
    np.testing.assert_array_equal(call.weights(0), [[1, 0]] * 3)
