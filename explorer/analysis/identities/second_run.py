"""The recorded run compared with one of transformers' own eager attention.

Weights are compared during the second run, layer by layer; states, predictions and the output
projections after it.
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
# Scores, their softmax, a copy in another precision and the result.
_MAPS_AT_ONCE = 4


def against_eager(
    model: LoadedModel, cap: Capture, tolerances: dict[str, float], note: str, progress: Progress
) -> dict[str, Identity]:
    """Maps, states, predictions and the heads' sum, each compared with the second run.

    ``tolerances`` are those of ``NAMES``.

    Raises:
        ModelError: the model failed in the second run.
    """
    if reason := _no_second_run(model, cap):
        return {name: Identity(CLAIMS[name], tolerances[name], why_not=reason) for name in NAMES}
    n_layers = sum(cap.stack(name).n_layers for name in cap.stacks)
    attention, run = _attention(cap, n_layers, within(progress, 0, 0.6))
    progress("comparing states and predictions", 0.6)
    found = {
        "eager_attention": attention,
        "eager_states": _states(cap, run),
        "eager_logits": _logits(cap, run),
        "heads_add_up": _head_sums(cap, run, n_layers, within(progress, 0.7, 1)),
    }
    why_not = {
        "eager_attention": f"run eagerly, {len(run.shown)} of {n_layers} layers show their weights",
        "eager_logits": "this checkpoint has no language-model head",
        "heads_add_up": "where the output projection is, is not known for this architecture",
    }
    return {
        name: largest.identity(name, tolerances[name], why_not.get(name, ""), note) for name, largest in found.items()
    }


def _no_second_run(model: LoadedModel, cap: Capture) -> str:
    """Why there is nothing to compare the capture with; empty if there is."""
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


def _attention(cap: Capture, n_layers: int, progress: Progress) -> tuple[MaxError, EagerRun]:
    """The error of every weight, and the second run; no error where some layers return no weights."""
    largest, n_done = MaxError(), 0

    def compare(name: str, layer: int, weights: Any) -> None:
        nonlocal n_done
        progress(f"comparing maps, {name} layer {layer}", n_done / n_layers)
        n_done += 1
        source = cap.stack(name)
        for rows in row_blocks(len(source.queries), 4 * source.n_heads * len(source.keys), BLOCK_BYTES):
            errors = np.abs(source.attention(layer, rows=rows) - to_numpy(weights[:, rows]))
            largest.update_heads(errors.max(axis=(1, 2)), name, layer)

    progress("running again with eager attention", 0)
    run = cap.run_eagerly(compare)
    return (largest if len(run.shown) == n_layers else MaxError()), run


def _states(cap: Capture, run: EagerRun) -> MaxError:
    largest = MaxError()
    for name, states in run.hidden.items():
        for number, (ours, theirs) in enumerate(zip(cap.stack(name).hidden, states, strict=True)):
            largest.update(relative(ours, to_numpy(theirs)), Place(name, state=number))
    return largest


def _logits(cap: Capture, run: EagerRun) -> MaxError:
    largest = MaxError()
    if run.logits is not None:
        largest.update(relative(cap.logits(), to_numpy(run.logits)), Place(cap.stacks[-1]))
    return largest


def _head_sums(cap: Capture, run: EagerRun, n_layers: int, progress: Progress) -> MaxError:
    """The sum of heads and bias, compared with each output projection."""
    largest, n_done = MaxError(), 0
    for name in cap.stacks:
        source = cap.stack(name)
        for layer in range(source.n_layers):
            progress(f"adding up heads, {name} layer {layer}", n_done / n_layers)
            n_done += 1
            if (projected := run.projected.get((name, layer))) is None:
                return MaxError()
            total = source.output_bias(layer).astype(np.float64)[None]
            for head in range(source.n_heads):
                total = total + source.head_output(layer, head)
            largest.update(relative(total, to_numpy(projected)), Place(name, layer))
    return largest
