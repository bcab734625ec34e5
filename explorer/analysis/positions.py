"""How position enters a model: vectors added to the tokens, or changes to their attention.

The input of the first block is decomposed in a run that stops there, so that the model's own code
adds the parts; the error of their sum is always reported.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from explorer.capture.loading import LoadedModel, make_inputs
from explorer.capture.stack import to_numpy
from explorer.models import architectures
from explorer.models.failures import one_clear_line
from explorer.records import EmbeddingSum, Positions, Rotation
from explorer.text.tokens import encode, ordinary_ids

STACK = "encoder"  # the encoder or only stack, the one that reads the text
MOST = 512  # positions that are computed


class _AtFirstBlock(Exception):
    """Raised at the first block, to stop the run."""


class _Trace:
    """Outputs of the modules before a model's first block, by role."""

    def __init__(self) -> None:
        self.outputs: list[tuple[str, nn.Module, torch.Tensor]] = []
        self.block_input: torch.Tensor | None = None

    def of(self, role: str) -> torch.Tensor | None:
        """Output [N, d] of the first module with that role."""
        return next((output for name, _, output in self.outputs if name == role), None)


def _trace(model: LoadedModel, arguments: dict[str, torch.Tensor]) -> _Trace:
    trace, hooks = _Trace(), []
    stack = architectures.stack_module(model.model, STACK)
    blocks = architectures.blocks(model.model, STACK)
    n = arguments["input_ids"].shape[1]

    def keep(role: str) -> Any:
        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.shape[-2:-1] == (n,):
                trace.outputs.append((role, module, output.reshape(-1, output.shape[-1])[:n]))

        return hook

    def end(_module: nn.Module, inputs: Any, named: dict[str, Any]) -> None:
        trace.block_input = (inputs[0] if inputs else named["hidden_states"])[0]
        raise _AtFirstBlock

    inside = {id(module) for module in blocks.modules()}
    for name, module in stack.named_modules():
        role = architectures.role_at_entrance(name)
        if role and id(module) not in inside and not list(module.children()):
            hooks.append(module.register_forward_hook(keep(role)))
    hooks.append(blocks[0].register_forward_pre_hook(end, with_kwargs=True))
    try:
        with torch.inference_mode():
            stack(**arguments)
    except _AtFirstBlock:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return trace


def embedding_sum(model: LoadedModel, text: str) -> EmbeddingSum:
    """The input of the first block for a text, as a sum of static, position and segment vectors.

    Raises:
        ValueError: an unusable text.
        ModelError: the model failed on it.
    """
    doing = "decomposing its embeddings"
    with (
        model.lock,
        one_clear_line(f"{model.name} failed while {doing}", f"{model.name} was {doing}"),
        torch.inference_mode(),
    ):
        encoded, tokens = encode(model.tokenizer, text, max_tokens=model.max_tokens)
        arguments = make_inputs(model.model, encoded, model.device).arguments
        trace = _trace(model, arguments)
        static = architectures.table_rows(model.model, STACK, arguments["input_ids"][0])
        position, segment = trace.of("position"), trace.of("segment")
        after = [(role, module) for role, module, _ in trace.outputs if role in ("norm", "projection")]
        if position is not None and position.shape != static.shape:
            # The table is narrower than the positions: its rows are widened before (OPT-350m).
            static = architectures.static_embeddings(model.model, STACK, arguments["input_ids"][0])
            after = [(role, module) for role, module in after if role != "projection"]
        named = {"static": static, "position": position, "segment": segment}
        parts = {name: part for name, part in named.items() if part is not None}
        vectors = torch.stack(list(parts.values()))
        block_input = static if trace.block_input is None else trace.block_input
        made = vectors.sum(dim=0)
        for _, module in after:
            made = module(made)
        return EmbeddingSum(
            labels=tokens.labels,
            parts=tuple(parts),
            vectors=to_numpy(vectors),
            after=tuple(role for role, _ in after),
            block_input=to_numpy(block_input),
            error=to_numpy((made - block_input).norm(dim=1) / block_input.norm(dim=1)),
        )


def positions(model: LoadedModel, n: int = MOST) -> Positions:
    """How a model encodes position, for its first ``n`` positions.

    Raises:
        ModelError: the model failed.
    """
    n = min(n, model.max_tokens or n)
    doing = "showing its positions"
    with (
        model.lock,
        one_clear_line(f"{model.name} failed while {doing}", f"{model.name} was {doing}"),
        torch.inference_mode(),
    ):
        word = int(ordinary_ids(model.tokenizer, architectures.vocabulary_size(model.model))[0])
        trace = _trace(model, make_inputs(model.model, {"input_ids": [word] * n}, model.device).arguments)
        vectors = trace.of("position")
        rotated = tuple(
            Rotation(layers or "all layers", theta, to_numpy(frequencies))
            for layers, theta, frequencies in architectures.rotations(model.model, STACK)
        )
        bias = architectures.relative_bias(model.model, STACK, n)
    if vectors is not None:
        kind = "sinusoidal" if architectures.adds_fixed_waves(model.model, STACK) else "learned"
    else:
        kind = "rotary" if rotated else "relative" if bias is not None else "none"
    return Positions(
        model=model.name,
        kind=kind,
        vectors=None if vectors is None else to_numpy(vectors),
        rotations=rotated,
        # By distance: the last query has its keys before it, the first one after it.
        bias=None if bias is None else to_numpy(torch.cat([bias[:, -1], bias[:, 0, 1:]], dim=1)),
        d_head=model.stacks[0].d_head,
        description=_DESCRIPTIONS[kind],
    )


_DESCRIPTIONS = {
    "learned": "a learned vector of each position is added to the token’s own",
    "sinusoidal": "a vector of sines and cosines, one for each position, is added to the token’s "
    "own (Vaswani et al. 2017)",
    "rotary": "nothing is added to the tokens: in every layer queries and keys are rotated by an "
    "angle that grows with their position, so that a score depends on how far apart they are "
    "(Su et al. 2021)",
    "relative": "nothing is added to the tokens: a learned number for each head and distance is "
    "added to the attention scores (Raffel et al. 2020)",
    "none": "no vector is added to the tokens; how this architecture tells positions apart is not known here",
}
