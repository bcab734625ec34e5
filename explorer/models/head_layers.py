"""The linear layers around a head, by their names in transformers: W_Q, W_K, W_V and W_O.

With ``adapters`` the only place that knows architectures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from explorer.records import ModelError

# A projection out of the attention block goes by one of these names in transformers.
_OUTPUT_NAMES = ("o_proj", "out_proj", "c_proj", "dense", "out_lin", "o", "wo", "Wo")
# The projections into it: three layers, or one for all three.
_INPUT_NAMES = (
    ("q_proj", "k_proj", "v_proj"),
    ("query", "key", "value"),
    ("q_lin", "k_lin", "v_lin"),
    ("q", "k", "v"),
)
_FUSED_NAMES = ("c_attn", "query_key_value", "qkv_proj", "Wqkv")


@dataclass(frozen=True)
class OutputProjection:
    """The matrix that brings heads back to the residual stream.

    ``weight`` is W_O cut by head [H, d_head, D]; ``bias`` is b_O [D] or None; ``module``
    is the layer it was read from.
    """

    module: nn.Module
    weight: torch.Tensor
    bias: torch.Tensor | None


def output_projection(model: PreTrainedModel, attention: nn.Module, n_heads: int) -> OutputProjection:
    """The output projection that follows an attention module.

    Raises:
        ModelError: no linear layer with a known name follows it.
    """
    module = _child(attention, _OUTPUT_NAMES) or _sibling_output(model, attention)
    if module is None:
        kind = type(attention).__name__
        raise ModelError(f"{model.config.model_type}: no output projection known for {kind}")
    weight = module.weight if isinstance(module, Conv1D) else module.weight.T
    return OutputProjection(module, weight.reshape(n_heads, -1, weight.shape[-1]), module.bias)


@dataclass(frozen=True)
class InputProjections:
    """The matrices that make queries, keys and values.

    Weights are W_Q [H, D, d], W_K [H_kv, D, d], W_V [H_kv, D, d_v], biases [H, d] and so on.
    """

    query: tuple[torch.Tensor, torch.Tensor]
    key: tuple[torch.Tensor, torch.Tensor]
    value: tuple[torch.Tensor, torch.Tensor]


def input_projections(
    attention: nn.Module, n_heads: int, n_kv_heads: int, d_head: int, d_value: int
) -> Iterator[InputProjections]:
    """How an attention module's projections can be read: three layers, or one cut in three.

    One that makes all three is cut into all queries, all keys and all values, or by head into a
    query, a key and a value; which of them is right shows only by what it gives.
    """
    counts = (n_heads, d_head), (n_kv_heads, d_head), (n_kv_heads, d_value)
    for names in _INPUT_NAMES:
        modules = [_child(attention, (name,)) for name in names]
        if all(modules):
            parts = [_weight_and_bias(module) for module in modules]
            if all(w.shape[1] == n * d for (w, _), (n, d) in zip(parts, counts, strict=True)):
                yield InputProjections(*(_by_head(*p, n) for p, (n, _) in zip(parts, counts, strict=True)))
    fused = _child(attention, _FUSED_NAMES)
    if fused is None:
        return
    weight, bias = _weight_and_bias(fused)
    sizes = [n * d for n, d in counts]
    if weight.shape[1] != sum(sizes):
        return
    parts = list(zip(weight.split(sizes, dim=1), bias.split(sizes), strict=True))
    yield InputProjections(*(_by_head(*p, n) for p, (n, _) in zip(parts, counts, strict=True)))
    if n_heads == n_kv_heads:
        heads, biases = _by_head(weight, bias, n_heads)
        widths = [d for _, d in counts]
        yield InputProjections(*zip(heads.split(widths, dim=2), biases.split(widths, dim=1), strict=True))


def query_key_norms(attention: nn.Module) -> tuple[nn.Module | None, nn.Module | None]:
    """What normalises queries and keys after their projections (Qwen3, Gemma 3, OLMo 2)."""
    found = (
        next((m for name in names if isinstance(m := getattr(attention, name, None), nn.Module)), None)
        for names in (("q_norm", "q_layernorm"), ("k_norm", "k_layernorm"))
    )
    query, key = found
    return query, key


def _weight_and_bias(module: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """A linear layer as x·weight + bias: [in, out] and [out], zeros where it has no bias."""
    weight = module.weight if isinstance(module, Conv1D) else module.weight.T
    bias = module.bias if module.bias is not None else weight.new_zeros(weight.shape[1])
    return weight, bias


def _by_head(weight: torch.Tensor, bias: torch.Tensor, n_heads: int) -> tuple[torch.Tensor, torch.Tensor]:
    """[D, H·d] and [H·d] cut by head: [H, D, d] and [H, d]."""
    cut = weight.reshape(weight.shape[0], n_heads, -1).transpose(0, 1)
    return cut, bias.reshape(n_heads, -1)


def _child(parent: nn.Module, names: tuple[str, ...]) -> Any:
    for name in names:
        module = getattr(parent, name, None)
        if isinstance(module, (nn.Linear, Conv1D)):
            return module
    return None


def _sibling_output(model: PreTrainedModel, attention: nn.Module) -> Any:
    """BERT and its kin keep the projection beside the attention, as ``output.dense``."""
    for name, module in model.named_modules():
        if module is attention:
            parent = model.get_submodule(name.rpartition(".")[0])
            output = getattr(parent, "output", None)
            return _child(output, ("dense",)) if isinstance(output, nn.Module) else None
    return None
