"""A forward pass with transformers' own eager attention, watched as it goes.

What a recorded run is held against. Each layer's weights are shown when they are made and kept
by nobody, so that a long text's maps are never all in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from explorer.capture.recorder import Inputs
from explorer.models import architectures
from explorer.models.failures import is_out_of_memory, one_clear_line
from explorer.records import ModelError

See = Callable[[str, int, torch.Tensor], None]


@dataclass(frozen=True)
class Watched:
    """One layer to watch: its attention, and the projection its heads' outputs go through.

    Modules that run for several layers (ALBERT) are watched as often, in the order of layers.
    """

    stack: str
    layer: int
    attention: nn.Module
    projection: nn.Module | None


@dataclass(frozen=True)
class EagerRun:
    """What an eager run of a whole model gave.

    Attributes:
        hidden: by stack (without cross attention's), L+1 states [N, D].
        projected: by stack and layer, what the output projection gave [Q, D].
        shown: which layers' attention was shown, by stack and layer.
        logits: [N, vocabulary]; None without a language-model head.
    """

    hidden: dict[str, tuple[torch.Tensor, ...]]
    projected: dict[tuple[str, int], torch.Tensor]
    shown: frozenset[tuple[str, int]]
    logits: torch.Tensor | None


def eager_run(model: PreTrainedModel, inputs: Inputs, layers: Iterable[Watched], see: See, name: str) -> EagerRun:
    """Run a whole model once with eager attention; it is left as it was.

    Args:
        model: any that can run eagerly; its lock is held by the caller.
        inputs: what it reads.
        layers: the layers to watch, of each stack in their order.
        see: given stack, layer and weights [H, Q, K] of each. What it raises ends the run and
            comes out as it is, unless memory ran out.
        name: what an error calls the model.

    Raises:
        ModelError: the model failed; one line says why.
    """
    layers = list(layers)
    shown: list[tuple[str, int]] = []
    projected: dict[tuple[str, int], torch.Tensor] = {}
    raised: list[Exception] = []

    def look(watched: Watched, output: Any) -> None:
        # Last of what an attention module returns; T5's position bias, as large, stands before.
        if isinstance(output, tuple) and getattr(output[-1], "ndim", 0) == 4:
            shown.append((watched.stack, watched.layer))
            try:
                see(watched.stack, watched.layer, output[-1][0])
            except Exception as error:
                raised.append(error)
                raise

    def keep(watched: Watched, output: Any) -> None:
        projected[watched.stack, watched.layer] = output[0]

    exits: list[torch.Tensor] = []
    doing = "running with eager attention"
    try:
        with (
            one_clear_line(f"{name} failed while {doing}", f"{name} was {doing}"),
            _eager(model),
            _hooked([(one.attention, one) for one in layers], look),
            _hooked([(one.projection, one) for one in layers if one.projection], keep),
            _leaving(model, exits),
            torch.inference_mode(),
        ):
            out = model(**_arguments(model, inputs), output_hidden_states=True, return_dict=True)
    except ModelError:
        if raised and not is_out_of_memory(raised[0]):
            raise raised[0] from None
        raise
    return EagerRun(_states(out, layers, exits), projected, frozenset(shown), _logits(out))


def _arguments(model: PreTrainedModel, inputs: Inputs) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(inputs.arguments)
    if inputs.decoder_ids is not None:
        arguments["decoder_input_ids"] = inputs.decoder_ids
    if architectures.accepts(model, "use_cache"):
        arguments["use_cache"] = False
    return arguments


def _states(out: Any, layers: list[Watched], exits: list[torch.Tensor]) -> dict[str, tuple[torch.Tensor, ...]]:
    """Each stack's states; the last as it left the residual stream, as the recorder has it."""
    found = {}
    for stack in dict.fromkeys(one.stack for one in layers if one.stack != "cross"):
        states = getattr(out, f"{stack}_hidden_states", None) or out.hidden_states
        found[stack] = (*(state[0] for state in states[:-1]), *(exits or [states[-1][0]]))
    return found


def _logits(out: Any) -> torch.Tensor | None:
    logits: torch.Tensor | None = getattr(out, "logits", None)
    return None if logits is None else logits[0]


@contextmanager
def _eager(model: PreTrainedModel) -> Iterator[None]:
    """The model set to eager attention, and then back."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


@contextmanager
def _hooked(modules: list[tuple[nn.Module, Watched]], tell: Callable[[Watched, Any], None]) -> Iterator[None]:
    """Tell what modules give; of one that runs for several layers, call by call."""
    waiting: dict[nn.Module, list[Watched]] = {}
    for module, watched in modules:
        waiting.setdefault(module, []).append(watched)

    def told(module: nn.Module, _inputs: Any, output: Any) -> None:
        if waiting[module]:
            tell(waiting[module].pop(0), output)

    hooks = [module.register_forward_hook(told) for module in waiting]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _leaving(model: PreTrainedModel, exits: list[torch.Tensor]) -> Iterator[None]:
    """Keep what an exit projection is given (OPT-350m); most models have none."""
    projection = architectures.exit_projection(architectures.stack_module(model, "encoder"))
    if projection is None:
        yield
        return
    hook = projection.register_forward_pre_hook(lambda _module, given: exits.append(given[0][0]))
    try:
        yield
    finally:
        hook.remove()
