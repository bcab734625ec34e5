"""One forward pass with everything recorded that attention is made of.

transformers calls one function for the attention of nearly every model
(``AttentionInterface``). The one registered here lets SDPA compute the model's own result
and keeps the queries, keys and values it was given, the mask, the scale, and the position
bias, soft cap or learned sinks where there are any. Any head's map is then
``softmax(q kᵀ·scale + bias + mask)``, made when it is asked for.

What the function does not know it refuses (``Unfaithful``); the model is then run with
transformers' eager attention, which returns the weights themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from explorer.capture.attention_call import ALL_ROWS, AttentionCall
from explorer.models import architectures
from explorer.models.failures import is_out_of_memory, one_line
from explorer.records import ModelError

IMPLEMENTATION = "explorer_recorder"

# Keywords models pass along that cannot change an unpadded, uncached forward pass in
# evaluation mode: bookkeeping, and the packed-sequence arguments of flash attention.
_HARMLESS = frozenset(
    {
        "cache_position",
        "cu_seq_lens_k",
        "cu_seq_lens_q",
        "deterministic",
        "layer_idx",
        "max_length_k",
        "max_length_q",
        "output_attentions",
        "output_hidden_states",
        "output_router_logits",
        "position_embeddings",
        "position_ids",
        "return_dict",
        "use_cache",
    }
)


class Unfaithful(Exception):
    """The recording would not be what the model computed; the message says why."""


_recording: ContextVar[list[AttentionCall] | None] = ContextVar("recording", default=None)


def _attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    position_bias: torch.Tensor | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """The function transformers calls: SDPA's result, and a record of what it was given."""
    given = {name for name, value in others.items() if value is not None}
    if unknown := sorted(given - _HARMLESS):
        raise Unfaithful(f"its attention is given {', '.join(unknown)}, which is not known here")
    if is_causal is None:
        is_causal = getattr(module, "is_causal", True)
    n_queries, n_keys = query.shape[2], key.shape[2]
    causal = bool(is_causal) and attention_mask is None and n_queries > 1
    if sliding_window is not None and attention_mask is None and n_keys > sliding_window:
        raise Unfaithful("a sliding window without a mask")
    if query.shape[0] != 1 or (causal and n_queries != n_keys):
        raise Unfaithful("more than one text at a time, or keys kept from an earlier pass")
    call = AttentionCall(
        module=module,
        query=query[0],
        key=key[0],
        value=value[0],
        mask=None if attention_mask is None else attention_mask[0][..., :n_keys],
        causal=causal,
        scale=float(query.shape[-1] ** -0.5 if scaling is None else scaling),
        bias=None if position_bias is None else position_bias[0],
        softcap=softcap,
        sinks=s_aux,
    )
    if (calls := _recording.get()) is not None:
        calls.append(call)
    if softcap is not None or s_aux is not None:
        # SDPA knows neither, so the weights are made here and used at once.
        values = value[0].repeat_interleave(call.n_heads // call.n_kv_heads, dim=0)
        result = call.weights().to(value.dtype) @ values
        return result.transpose(0, 1)[None].contiguous(), None
    return sdpa_attention_forward(
        module,
        query,
        key,
        value,
        attention_mask,
        dropout=dropout,
        scaling=scaling,
        is_causal=is_causal,
        position_bias=position_bias,
    )


AttentionInterface.register(IMPLEMENTATION, _attend)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)


@contextmanager
def _record() -> Iterator[list[AttentionCall]]:
    calls: list[AttentionCall] = []
    token = _recording.set(calls)
    try:
        yield calls
    finally:
        _recording.reset(token)


@dataclass(frozen=True)
class StackRun:
    """One stack's part of a forward pass.

    ``hidden`` are L+1 tensors [N, D]; either ``calls`` (one a layer) or, after an eager
    run, ``attentions`` (one [H, Q, K] a layer) is filled.
    """

    name: str
    hidden: tuple[torch.Tensor, ...]
    calls: tuple[AttentionCall, ...] = ()
    attentions: tuple[torch.Tensor, ...] = ()

    @property
    def n_layers(self) -> int:
        """Attention layers L."""
        return len(self.calls) or len(self.attentions)

    def weights(self, layer: int, head: int | None = None, rows: slice = ALL_ROWS) -> torch.Tensor:
        """Attention of a layer [H, Q, K] or of one of its heads [Q, K], of ``rows`` only."""
        if self.calls:
            return self.calls[layer].weights(head, rows)
        attention = self.attentions[layer]
        return (attention[:, rows] if head is None else attention[head, rows]).float()


@dataclass(frozen=True)
class Inputs:
    """What a model reads: the encoder's or only stack's arguments, and a decoder's ids."""

    arguments: dict[str, torch.Tensor]
    decoder_ids: torch.Tensor | None = field(default=None)


def run(model: PreTrainedModel, inputs: Inputs, eager: bool = False) -> tuple[StackRun, ...]:
    """Run a model once and record each of its stacks.

    With ``eager`` the model must have been set to eager attention.

    Raises:
        Unfaithful: the recording cannot be trusted (only when not ``eager``).
        ModelError: an eager run that does not return every layer's attention.
    """
    if not architectures.is_encoder_decoder(model):
        module = architectures.stack_module(model, "encoder")
        out, calls = _forward(module, inputs.arguments, eager)
        return (_stack_run("single", out, "attentions" if eager else calls),)
    encoder = architectures.stack_module(model, "encoder")
    decoder = architectures.stack_module(model, "decoder")
    out, calls = _forward(encoder, inputs.arguments, eager)
    first = _stack_run("encoder", out, "attentions" if eager else calls)
    arguments = {
        "input_ids": inputs.decoder_ids,
        "encoder_hidden_states": out.last_hidden_state,
        "encoder_attention_mask": inputs.arguments.get("attention_mask"),
    }
    n_keys = out.last_hidden_state.shape[1]
    out, calls = _forward(decoder, arguments, eager)
    # A decoder layer attends to itself first and to the encoder second.
    own = _stack_run("decoder", out, "attentions" if eager else calls[0::2])
    cross = _stack_run("cross", out, "cross_attentions" if eager else calls[1::2], n_keys)
    return first, own, cross


def _forward(module: nn.Module, arguments: dict[str, Any], eager: bool) -> tuple[Any, list[AttentionCall]]:
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if architectures.accepts(module, "use_cache"):
        arguments["use_cache"] = False
    exit_projection = architectures.exit_projection(module)
    last: list[torch.Tensor] = []
    hook = exit_projection and exit_projection.register_forward_pre_hook(
        lambda _module, inputs: last.append(inputs[0])
    )
    try:
        with torch.inference_mode(), _record() as calls:
            out = module(**arguments, output_hidden_states=True, output_attentions=eager, return_dict=True)
    finally:
        if hook:
            hook.remove()
    if last:  # the last state as it left the residual stream, of the same width as the others
        out.hidden_states = (*out.hidden_states[:-1], last[0])
    return out, calls


def _stack_run(name: str, out: Any, weights: str | list[AttentionCall], n_keys: int | None = None) -> StackRun:
    """One stack from a model's output and its calls, or the output's attentions of that name.

    ``n_keys`` is the number of tokens attended to where it is not the stack's own.
    """
    hidden = tuple(state[0] for state in out.hidden_states or ())
    n_layers = len(hidden) - 1
    shape = (len(hidden[0]), n_keys or len(hidden[0])) if hidden else (0, 0)
    if isinstance(weights, list):
        if len(weights) != n_layers:
            raise Unfaithful(f"{len(weights)} of {n_layers} layers called the attention function")
        if any((call.query.shape[1], call.key.shape[1]) != shape for call in weights):
            raise Unfaithful("its layers attend to other than the text's own tokens")
        return StackRun(name, hidden, calls=_compact(weights))
    attentions = tuple(getattr(out, weights, None) or ())
    # Longformer and its kin return windows instead of a weight for each query and key.
    usable = tuple(a[0] for a in attentions if a is not None and a[0, 0].shape == shape)
    if len(usable) != n_layers or len(attentions) != n_layers:
        raise ModelError(
            "it does not use transformers' attention interface in every layer, and run eagerly "
            f"{len(usable)} of {max(n_layers, 0)} layers return a weight for each query and key"
        )
    return StackRun(name, hidden, attentions=usable)


def _compact(calls: list[AttentionCall]) -> tuple[AttentionCall, ...]:
    """Copy tensors that are small views of a large storage, so that it can be freed."""
    kept: dict[int, int] = {}
    for call in calls:
        for tensor in (call.query, call.key, call.value):
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = kept.get(storage.data_ptr(), 0) + tensor.nbytes

    def compact(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        return tensor.clone() if storage.nbytes() > kept[storage.data_ptr()] else tensor

    return tuple(
        AttentionCall(
            **{**vars(call), "query": compact(call.query), "key": compact(call.key), "value": compact(call.value)}
        )
        for call in calls
    )


def inputs_of(
    model: PreTrainedModel, inputs: Inputs, modules: list[nn.Module]
) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
    """Run a model and keep what some of its attention modules are given, in the order of calls.

    Args:
        model: set to the recorder.
        inputs: what it reads.
        modules: attention modules, one a layer; a module that is called for several layers
            (ALBERT) stands here as often.

    Returns:
        For each layer the states it makes queries of [Q, D], and those it makes keys and values
        of [K, D], None where they are the same.
    """
    given: list[tuple[torch.Tensor, torch.Tensor | None]] = []

    def keep(_module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        own = positional[0] if positional else named["hidden_states"]
        other = named.get("key_value_states", named.get("encoder_hidden_states"))
        given.append((own[0], None if other is None else other[0]))

    hooks = [module.register_forward_pre_hook(keep, with_kwargs=True) for module in dict.fromkeys(modules)]
    try:
        run(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return given


def choose_method(model: PreTrainedModel, probe: Inputs) -> tuple[str, str]:
    """Try the recorder against eager attention on a short text, and choose by the result.

    Returns:
        ``("recorder", "")``, or ``("eager", why)`` for a model that must run eagerly. The
        model is left set to the chosen implementation.

    Raises:
        ModelError: neither way gives every layer's attention.
    """
    model.set_attn_implementation("eager")
    reference = run(model, probe, eager=True)
    if not model._can_set_attn_implementation():
        return "eager", "it does not use transformers' attention interface"
    model.set_attn_implementation(IMPLEMENTATION)
    try:
        recorded = run(model, probe)
        _compare(recorded, reference)
    except Exception as error:  # eager attention works, whatever this was
        if is_out_of_memory(error):
            raise
        model.set_attn_implementation("eager")
        return "eager", one_line(error)
    return "recorder", ""


def _compare(recorded: tuple[StackRun, ...], reference: tuple[StackRun, ...]) -> None:
    """Raise Unfaithful unless recorded weights and states equal the eager run's.

    Where the eager run has no number (NaN), the recorded one must have none, and nowhere else.
    """
    for ours, theirs in zip(recorded, reference, strict=True):
        tolerance = 1e-4 if ours.hidden[-1].dtype == torch.float32 else 5e-2
        for layer in range(theirs.n_layers):
            apart = _apart(ours.weights(layer), theirs.weights(layer))
            if apart is None or apart.abs().max() > tolerance:
                raise Unfaithful(f"recorded attention of layer {layer} is not the eager model's")
        expected = theirs.hidden[-1].float()
        apart = _apart(ours.hidden[-1].float(), expected)
        if apart is None or apart.norm() > tolerance * expected.nan_to_num().norm():
            raise Unfaithful("the recorded run's last hidden state is not the eager model's")


def _apart(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor | None:
    """What two tensors differ by; None where they are not alike in shape or in lacking numbers."""
    if ours.shape != theirs.shape or not torch.equal(ours.isnan(), theirs.isnan()):
        return None
    return (ours - theirs).nan_to_num()
