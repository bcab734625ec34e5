"""The linear maps that make a head's queries, keys and values, checked against a capture."""

from __future__ import annotations

import torch
from torch import nn

from explorer.capture.attention_call import AttentionCall
from explorer.capture.capture import Capture
from explorer.capture.stack import to_numpy
from explorer.models import head_layers
from explorer.records import FloatArray, HeadMaps, LinearMap, ModelError

_TOLERANCE = {torch.float32: 1e-3}  # relative to the largest value
_COARSE = 5e-2  # in half precision


def head_maps(
    cap: Capture, layer: int, head: int, stack: str | None = None, inputs: tuple[FloatArray, FloatArray] | None = None
) -> HeadMaps:
    """A head's three linear maps, with their inputs and outputs.

    The maps are the checkpoint's weights. They must give the captured values, and the captured
    queries and keys up to a factor and their rotation. ``inputs`` are
    ``cap.attention_inputs(stack)``, if they are already computed.

    Raises:
        ValueError: layer, head or stack out of range.
        ModelError: captured eagerly, or this architecture's maps are not known.
    """
    source = cap.stack(stack)
    call = source.call(layer, head)
    states = [torch.from_numpy(side[layer]) for side in inputs or cap.attention_inputs(stack)]
    reading = _reading(call, states[1])
    if reading is None:
        kind = type(call.module).__name__
        raise ModelError(f"{cap.model_name}: how {kind} makes queries, keys and values is not known here")
    kv_head = call.kv_head(head)
    norms = head_layers.query_key_norms(call.module)
    before = [_before(states[0], reading.query, norms[0], head), _before(states[1], reading.key, norms[1], kv_head)]
    used = source.q(layer, head), source.k(layer, head)
    captured = [torch.from_numpy(own) for own in used]
    before = [_rescaled(made, own) for made, own in zip(before, captured, strict=True)]
    pairs = list(zip(before, captured, strict=True))
    if not all(_close(made.norm(dim=1), own.norm(dim=1), call) for made, own in pairs):
        raise ModelError(
            f"{cap.model_name}: what {type(call.module).__name__} does to queries and keys after "
            "their maps is not known here"
        )
    return HeadMaps(
        model=cap.model_name,
        stack=source.name,
        layer=layer,
        head=head,
        kv_head=kv_head,
        queries=source.queries,
        keys=source.keys,
        given_queries=states[0].numpy(),
        given_keys=states[1].numpy(),
        query=_linear(reading.query, head),
        key=_linear(reading.key, kv_head),
        value=_linear(reading.value, kv_head),
        q_before=before[0].numpy(),
        k_before=before[1].numpy(),
        q=used[0],
        k=used[1],
        v=source.v(layer, head),
        normalised=norms[0] is not None,
        # A change that keeps every vector's length is a rotation.
        rotated=not all(_close(made, own, call) for made, own in pairs),
    )


def _reading(call: AttentionCall, states: torch.Tensor) -> head_layers.InputProjections | None:
    """The reading of a module's projections that reproduces the captured values."""
    shape = call.n_heads, call.n_kv_heads, call.query.shape[-1], call.value.shape[-1]
    for reading in head_layers.input_projections(call.module, *shape):
        made = torch.stack([_apply(states, reading.value, head) for head in range(call.n_kv_heads)])
        if _close(made, call.value.detach().cpu().float(), call):
            return reading
    return None


def _apply(states: torch.Tensor, projection: tuple[torch.Tensor, torch.Tensor], head: int) -> torch.Tensor:
    weight, bias = (part[head].detach().cpu().float() for part in projection)
    return states @ weight + bias


def _before(
    states: torch.Tensor, projection: tuple[torch.Tensor, torch.Tensor], norm: nn.Module | None, head: int
) -> torch.Tensor:
    """One head's queries or keys [N, d] before rotation."""
    if norm is None:
        return _apply(states, projection, head)
    every = torch.stack([_apply(states, projection, one) for one in range(len(projection[0]))])
    weight = next(norm.parameters())
    with torch.inference_mode():
        flat = every.transpose(0, 1).to(weight)
        # Some models normalise each head, others all heads together.
        whole = weight.shape[-1] == flat.shape[1] * flat.shape[2] and flat.shape[1] > 1
        done = norm(flat.flatten(1)).reshape(flat.shape) if whole else norm(flat)
    return done[:, head].detach().cpu().float().clone()


def _linear(projection: tuple[torch.Tensor, torch.Tensor], head: int) -> LinearMap:
    return LinearMap(*(to_numpy(part[head]) for part in projection))


def _close(made: torch.Tensor, captured: torch.Tensor, call: AttentionCall) -> bool:
    bound = _TOLERANCE.get(call.query.dtype, _COARSE) * float(captured.abs().max())
    return made.shape == captured.shape and float((made - captured).abs().max()) <= bound


def _rescaled(made: torch.Tensor, captured: torch.Tensor) -> torch.Tensor:
    """The vectors times one factor, which some models multiply them by (OPT, YaRN)."""
    return made * float((captured.norm() / made.norm()).nan_to_num(1.0))
