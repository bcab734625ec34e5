"""The recorded run held against one with transformers' own eager attention.

Weights are compared as the second run makes them, layer by layer; states, predictions and what
the output projections gave after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.analysis.identities.claims import CLAIMS
from explorer.analysis.identities.errors import MaxError, relative, within
from explorer.analysis.measures.blocks import BLOCK_BYTES, Progress, row_blocks
from explorer.capture.capture import Capture
from explorer.capture.eager_run import EagerRun
from explorer.capture.footprint import free_bytes
from explorer.capture.loading import LoadedModel
from explorer.capture.stack import to_numpy
from explorer.records import Identity, Place

NAMES = ("eager_attention", "eager_states", "eager_logits", "heads_add_up")
# Scores, their softmax, a copy in another precision and what is made of them.
_MAPS_AT_ONCE = 4


def against_eager(
    model: LoadedModel, cap: Capture, tolerances: dict[str, float], note: str, tell: Progress
) -> dict[str, Identity]:
    """Maps, states, predictions and the heads' sum, each against the second run.

    Args:
        model: what the text was captured with.
        cap: the captured text.
        tolerances: of each of ``NAMES``.
        note: what is said of them.
        tell: called before each layer.

    Raises:
        ModelError: the model failed when it was run again.
    """
    if why_not := _no_second_run(model, cap):
        return {name: Identity(CLAIMS[name], tolerances[name], why_not=why_not) for name in NAMES}
    n_layers = sum(cap.stack(name).n_layers for name in cap.stacks)
    attention, run = _attention(cap, n_layers, within(tell, 0, 0.6))
    tell("comparing states and predictions", 0.6)
    found = {
        "eager_attention": attention,
        "eager_states": _states(cap, run),
        "eager_logits": _logits(cap, run),
        "heads_add_up": _head_sums(cap, run, n_layers, within(tell, 0.7, 1)),
    }
    otherwise = {
        "eager_attention": f"run eagerly, {len(run.shown)} of {n_layers} layers show their weights",
        "eager_logits": "this checkpoint has no language-model head",
        "heads_add_up": "where the output projection is, is not known for this architecture",
    }
    return {
        name: largest.told(name, tolerances[name], otherwise.get(name, ""), note) for name, largest in found.items()
    }


def _no_second_run(model: LoadedModel, cap: Capture) -> str:
    """Why there is nothing to hold the capture against; nothing where there is."""
    if model.method == "eager":
        return f"the text is captured with eager attention itself, because {model.method_reason}"
    stacks = [cap.stack(name) for name in cap.stacks]
    cells = max(one.n_heads * len(one.queries) * len(one.keys) for one in stacks)
    n_tokens = max(len(one.queries) for one in stacks)
    vocabulary = model.model.config.get_text_config().vocab_size if model.has_logits else 0
    needed = 4 * (_MAPS_AT_ONCE * cells + 3 * n_tokens * vocabulary)
    if needed <= (free := free_bytes(model.device)):
        return ""
    return (
        f"a second run of {n_tokens:,} tokens takes about {needed / 1e9:,.1f} GB, and "
        f"{free / 1e9:,.1f} GB are free on {model.device}: shorten the text"
    )


def _attention(cap: Capture, n_layers: int, tell: Progress) -> tuple[MaxError, EagerRun]:
    """Every weight of every head, while the second run makes them; and that run.

    Nothing is said of weights where some layers did not show theirs.
    """
    largest, seen = MaxError(), 0

    def see(name: str, layer: int, weights: Any) -> None:
        nonlocal seen
        tell(f"comparing maps, {name} layer {layer}", seen / n_layers)
        seen += 1
        source = cap.stack(name)
        for rows in row_blocks(len(source.queries), 4 * source.n_heads * len(source.keys), BLOCK_BYTES):
            theirs = to_numpy(weights[:, rows])
            apart = np.abs(source.attention(layer, rows=rows) - theirs)
            largest.see_heads(apart.max(axis=(1, 2)), name, layer)

    tell("running again with eager attention", 0)
    run = cap.run_eagerly(see)
    return (largest if len(run.shown) == n_layers else MaxError()), run


def _states(cap: Capture, run: EagerRun) -> MaxError:
    """Every layer's residual stream."""
    largest = MaxError()
    for name, states in run.hidden.items():
        for number, (ours, theirs) in enumerate(zip(cap.stack(name).hidden, states, strict=True)):
            largest.see(relative(ours, to_numpy(theirs)), Place(name, state=number))
    return largest


def _logits(cap: Capture, run: EagerRun) -> MaxError:
    largest = MaxError()
    if run.logits is not None:
        largest.see(relative(cap.logits(), to_numpy(run.logits)), Place(cap.stacks[-1]))
    return largest


def _head_sums(cap: Capture, run: EagerRun, n_layers: int, tell: Progress) -> MaxError:
    """Heads and bias summed, against what each output projection gave."""
    largest, done = MaxError(), 0
    for name in cap.stacks:
        source = cap.stack(name)
        for layer in range(source.n_layers):
            tell(f"adding up heads, {name} layer {layer}", done / n_layers)
            done += 1
            if (given := run.projected.get((name, layer))) is None:
                return MaxError()
            total = source.output_bias(layer).astype(np.float64)[None]
            for head in range(source.n_heads):
                total = total + source.head_output(layer, head)
            largest.see(relative(total, to_numpy(given)), Place(name, layer))
    return largest
