"""What transformers itself says of a checkpoint: eager attention, never the code under test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from tests.checkpoints import Family


@dataclass(frozen=True)
class Reference:
    """One eager run of the whole model.

    ``attention`` and ``projected`` (what the output projection gave) have a list of layers
    a stack, ``hidden`` an array [L+1, N, D]; ``model`` is the eager model itself.
    """

    model: Any
    ids: dict[str, list[int]]
    attention: dict[str, list[np.ndarray]]
    hidden: dict[str, np.ndarray]
    logits: np.ndarray
    projected: dict[str, list[np.ndarray]]


def load(family: Family, folder: Path) -> Any:
    """The checkpoint through transformers' own Auto class, set to eager attention."""
    return family.auto.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def eager(
    family: Family, folder: Path, text: str, pair: str | None = None, decoder_ids: list[int] | None = None
) -> Reference:
    """Run the checkpoint eagerly on a text, as transformers' documentation does."""
    model = load(family, folder)
    encoded = AutoTokenizer.from_pretrained(folder)(text, pair, return_tensors="pt")
    ids = {name: tensor[0].tolist() for name, tensor in encoded.items()}
    projected: dict[str, list[np.ndarray]] = {}
    hooks = _hook_outputs(family, model, projected)
    stream: list[torch.Tensor] = []
    if family.exit:  # the residual stream before it is narrowed to the table's width
        narrowing = model.get_submodule(family.exit)
        hooks.append(narrowing.register_forward_pre_hook(lambda _module, args: stream.append(args[0][0])))
    arguments: dict[str, Any] = dict(encoded)
    if decoder_ids is not None:
        arguments["decoder_input_ids"] = torch.tensor([decoder_ids])
    with torch.inference_mode():
        out = model(**arguments, output_attentions=True, output_hidden_states=True)
    for hook in hooks:
        hook.remove()
    if family.is_encoder_decoder:
        names = {"encoder": "encoder_", "decoder": "decoder_", "cross": "cross_"}
    else:
        names = {next(iter(family.stacks)): ""}
    return Reference(
        model=model,
        ids=ids,
        attention={
            stack: [layer[0].numpy() for layer in getattr(out, f"{prefix}attentions")]
            for stack, prefix in names.items()
        },
        hidden={
            stack: _stack_states(out, prefix.replace("cross", "decoder"), stream) for stack, prefix in names.items()
        },
        logits=out.logits[0].numpy(),
        projected=projected,
    )


def _stack_states(out: Any, prefix: str, stream: list[torch.Tensor]) -> np.ndarray:
    states = [state[0] for state in getattr(out, f"{prefix}hidden_states")]
    return torch.stack([*states[:-1], *stream] if stream else states).numpy()


def _hook_outputs(
    family: Family, model: Any, projected: dict[str, list[np.ndarray]]
) -> list[torch.utils.hooks.RemovableHandle]:
    """Put down what each output projection gives, in the order the layers run."""

    def keep(stack: str, _module: Any, _inputs: Any, output: torch.Tensor) -> None:
        projected.setdefault(stack, []).append(output[0].numpy().copy())

    hooks = []
    for stack, path in family.outputs.items():
        places = dict.fromkeys(path.format(i) for i in range(family.stacks[stack][0]))
        hooks += [model.get_submodule(place).register_forward_hook(partial(keep, stack)) for place in places]
    return hooks


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Norm of the difference as a share of the norm of what is expected."""
    assert ours.shape == theirs.shape
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
