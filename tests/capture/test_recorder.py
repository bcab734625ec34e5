"""The recorder: its arithmetic by hand, and that it never guesses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers.models.gpt2 import modeling_gpt2

import explorer
from explorer.capture import recorder
from tests import reference
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder, Loader

GPT2 = FAMILIES["gpt2"]


@pytest.fixture
def gpt2(folder: Folder) -> explorer.LoadedModel:
    """A model of the test's own, to be spoiled."""
    return explorer.load_model(str(folder("gpt2")), device="cpu")


def _assert_right(loaded: explorer.LoadedModel, folder: Folder) -> None:
    """Weights, last state and logits are those of the (equally changed) eager model."""
    cap = explorer.capture(loaded, TEXT)
    expected = reference.eager(GPT2, folder("gpt2"), TEXT)
    for layer, weights in enumerate(expected.attention["decoder"]):
        np.testing.assert_allclose(cap.attention(layer), weights, rtol=0, atol=1e-5)
    assert reference.relative(cap.hidden[-1], expected.hidden["decoder"][-1]) < 1e-4
    assert reference.relative(cap.logits(), expected.logits) < 1e-4


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponents = np.exp(scores - scores.max(-1, keepdims=True))
    return exponents / exponents.sum(-1, keepdims=True)


class TestArithmetic:
    """Weights from queries and keys, worked in float64 by numpy."""

    def test_two_tokens_by_hand(self) -> None:
        """Scores 0 and ln 3: a quarter and three quarters."""
        call = recorder.AttentionCall(
            module=torch.nn.Identity(),
            query=torch.tensor([[[2.0], [2.0]]]),
            key=torch.tensor([[[0.0], [float(np.log(3))]]]),
            value=torch.zeros(1, 2, 1),
            mask=None,
            causal=True,
            scale=0.5,
        )
        np.testing.assert_allclose(call.weights(0), [[1, 0], [0.25, 0.75]], atol=1e-7)

    def test_everything_at_once(self) -> None:
        """Shared keys, soft cap, bias, a mask in numbers, and sinks that take their share."""
        draw = np.random.default_rng(3)
        q, k = draw.normal(size=(4, 5, 8)), draw.normal(size=(2, 5, 8))
        bias, sinks = draw.normal(size=(4, 5, 5)), draw.normal(size=4)
        mask = np.where(np.tri(5, k=1), 0.0, np.finfo(np.float32).min)[None]
        scores = np.einsum("hqd,hkd->hqk", q, k[[0, 0, 1, 1]]) * 0.3
        scores = np.tanh(scores / 2) * 2 + bias + mask
        with_sinks = np.concatenate([scores, np.broadcast_to(sinks[:, None, None], (4, 5, 1))], -1)
        expected = _softmax(with_sinks)[..., :-1]

        call = recorder.AttentionCall(
            module=torch.nn.Identity(),
            query=torch.tensor(q),
            key=torch.tensor(k),
            value=torch.zeros(2, 5, 8),
            mask=torch.tensor(mask, dtype=torch.float32),
            causal=False,
            scale=0.3,
            bias=torch.tensor(bias),
            softcap=2.0,
            sinks=torch.tensor(sinks),
        )
        np.testing.assert_allclose(call.weights(), expected, atol=1e-6)
        for head in range(4):
            np.testing.assert_allclose(call.weights(head), expected[head], atol=1e-6)
        assert (call.weights().numpy()[:, mask[0] < 0] == 0).all()

    def test_query_that_may_see_nothing(self) -> None:
        call = recorder.AttentionCall(
            module=torch.nn.Identity(),
            query=torch.ones(1, 2, 4),
            key=torch.ones(1, 2, 4),
            value=torch.ones(1, 2, 4),
            mask=torch.tensor([[[False, False], [True, True]]]),
            causal=False,
            scale=1.0,
        )
        np.testing.assert_array_equal(call.weights(0), [[0, 0], [0.5, 0.5]])


@pytest.fixture
def heated(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """GPT-2's attention passes a keyword that its eager function heeds and no one else knows."""

    def heat() -> None:
        plain_forward = modeling_gpt2.GPT2Attention.forward
        plain_eager = modeling_gpt2.eager_attention_forward

        def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
            return plain_forward(self, *args, temperature=3.0, **kwargs)

        def eager(*args: Any, temperature: float, scaling: float, **kwargs: Any) -> Any:
            return plain_eager(*args, scaling=scaling / temperature, **kwargs)

        monkeypatch.setattr(modeling_gpt2.GPT2Attention, "forward", forward)
        monkeypatch.setattr(modeling_gpt2, "eager_attention_forward", eager)

    return heat


class TestUnknownKeyword:
    """An argument the recorder does not know may change the result: it must not guess."""

    def test_while_loading(self, heated: Callable[[], None], folder: Folder) -> None:
        heated()
        loaded = explorer.load_model(str(folder("gpt2")), device="cpu")
        assert loaded.method == "eager"
        assert "temperature" in loaded.method_reason
        _assert_right(loaded, folder)

    def test_while_capturing(self, heated: Callable[[], None], gpt2: explorer.LoadedModel, folder: Folder) -> None:
        assert gpt2.method == "recorder"
        cold = explorer.capture(gpt2, TEXT).attention(1)
        heated()
        _assert_right(gpt2, folder)
        assert gpt2.method == "eager"
        assert "temperature" in gpt2.method_reason
        assert np.abs(explorer.capture(gpt2, TEXT).attention(1) - cold).max() > 0.1

    def test_while_computing_logits(
        self, heated: Callable[[], None], gpt2: explorer.LoadedModel, folder: Folder
    ) -> None:
        cap = explorer.capture(gpt2, TEXT)
        heated()
        expected = reference.eager(GPT2, folder("gpt2"), TEXT)
        assert reference.relative(cap.logits(), expected.logits) < 1e-4

    def test_nothing_stays_behind(self, gpt2: explorer.LoadedModel) -> None:
        """After a failed recording the next one begins empty."""
        with pytest.raises(recorder.Unfaithful, match="is given heat, which is not known"):
            gpt2.model(torch.tensor([[1, 2]]), heat=1.0)
        assert explorer.capture(gpt2, TEXT).n_layers == 3


def test_a_model_without_numbers_is_not_taken_for_recorded(gpt2: explorer.LoadedModel) -> None:
    """NaN is more than no tolerance, and less: it must not pass as agreement."""
    model = copy.deepcopy(gpt2.model)
    with torch.no_grad():
        model.transformer.wte.weight[7] = float("nan")
    inputs = recorder.Inputs({"input_ids": torch.tensor([[3, 7, 5]])})
    method, reason = recorder.choose_method(model, inputs)
    assert method == "eager"
    assert "is not the eager model's" in reason


def _own_attention(model: Any, layer: int) -> None:
    """Set one layer to eager attention for good, as models do that choose by themselves."""
    attention = model.transformer.h[layer].attn
    attention.config = copy.deepcopy(attention.config)
    attention.config._attn_implementation = "eager"


class TestLayerThatGoesItsOwnWay:
    """A layer for which the function was not called sends the model to eager attention."""

    def test_while_loading(self, monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
        plain_init = modeling_gpt2.GPT2Attention.__init__

        def init(self: Any, config: Any, *args: Any, **kwargs: Any) -> None:
            own = kwargs.get("layer_idx") == 1
            plain_init(self, copy.deepcopy(config) if own else config, *args, **kwargs)

        monkeypatch.setattr(modeling_gpt2.GPT2Attention, "__init__", init)
        loaded = explorer.load_model(str(folder("gpt2")), device="cpu")
        assert (loaded.method, loaded.method_reason) == ("eager", "2 of 3 layers called the attention function")
        _assert_right(loaded, folder)

    def test_while_capturing(self, gpt2: explorer.LoadedModel, folder: Folder) -> None:
        _own_attention(gpt2.model, layer=2)
        _assert_right(gpt2, folder)
        assert gpt2.method == "eager"


def test_difference_that_no_keyword_tells(monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
    """Eager attention with something of its own is found by comparing, and believed."""
    plain = modeling_gpt2.eager_attention_forward

    def eager(module: Any, query: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        return plain(module, query * 1.5, *args, **kwargs)

    monkeypatch.setattr(modeling_gpt2, "eager_attention_forward", eager)
    loaded = explorer.load_model(str(folder("gpt2")), device="cpu")
    assert loaded.method == "eager"
    assert "layer 0" in loaded.method_reason
    _assert_right(loaded, folder)


def test_eager_capture_says_what_it_lacks(tiny: Loader) -> None:
    cap = explorer.capture(tiny("deberta-v2"), TEXT)
    for ask in (cap.q, cap.k, cap.v, cap.head_output):
        with pytest.raises(explorer.ModelError, match="captured eagerly, weights only") as error:
            ask(0, 0)
        assert "\n" not in str(error.value)


def test_layers_count_by_call_order(tiny: Loader) -> None:
    """ALBERT calls one module L times; each call is a layer."""
    cap = explorer.capture(tiny("albert"), TEXT)
    assert cap.n_layers == 3
    assert len({cap.q(layer, 0).tobytes() for layer in range(3)}) == 3


@pytest.mark.parametrize("name", ["gpt2", "gpt-neox", "llama", "bert"])
def test_bytes_held(name: str, tiny: Loader) -> None:
    """Queries, keys, values and the residual stream of each layer, and not a byte more."""
    cap = explorer.capture(tiny(name), TEXT)
    n, d_head = len(cap.tokens), 8
    heads = cap.n_heads + 2 * cap.n_kv_heads
    numbers = cap.n_layers * heads * n * d_head + (cap.n_layers + 1) * n * 32
    assert cap.nbytes == 4 * numbers


def test_half_precision(folder: Folder) -> None:
    """bfloat16 inside, float32 out, as near the float32 model as bfloat16 can be."""
    loaded = explorer.load_model(str(folder("llama")), device="cpu", dtype="bfloat16")
    assert loaded.method == "recorder"
    cap = explorer.capture(loaded, TEXT)
    expected = reference.eager(FAMILIES["llama"], folder("llama"), TEXT)
    for layer, weights in enumerate(expected.attention["decoder"]):
        ours = cap.attention(layer)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-5)
        assert np.abs(ours - weights).mean() < 0.01
    for array in (cap.hidden, cap.static, cap.logits(), cap.q(0, 0), cap.head_output(0, 0)):
        assert array.dtype == np.float32
