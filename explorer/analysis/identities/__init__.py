"""Identities that hold for any model on any text: the error of a capture for each."""

from __future__ import annotations

from explorer.analysis.identities.claims import CLAIMS
from explorer.analysis.identities.errors import within
from explorer.analysis.identities.pca import projections
from explorer.analysis.identities.second_run import NAMES, against_eager
from explorer.analysis.identities.weights import weights_alone
from explorer.analysis.measures.blocks import Progress
from explorer.capture.capture import Capture
from explorer.capture.loading import LoadedModel
from explorer.models import architectures
from explorer.records import Identity

__all__ = ["CLAIMS", "TOLERANCES", "identities"]

# By precision, the largest error that passes: absolute for weights, relative for vectors. Half
# precision rounds scores before the softmax, bfloat16 to less than three digits.
TOLERANCES = {"float32": (1e-5, 1e-4), "float16": (0.05, 0.02), "bfloat16": (0.2, 0.1)}


def identities(model: LoadedModel, cap: Capture, progress: Progress | None = None) -> tuple[Identity, ...]:
    """Check every identity of ``CLAIMS``, in their order, in all stacks, layers and heads of a capture.

    Raises:
        ValueError: a capture of another model.
        ModelError: the model failed on the text in the second run.
    """
    if cap.model_name != model.name:
        raise ValueError(f"the text was captured with {cap.model_name}, not with {model.name}")
    progress = progress or (lambda _sentence, _share: None)
    weight, vector = TOLERANCES[model.dtype]
    tolerances = {name: weight if name == "eager_attention" else vector for name in NAMES}
    half = model.dtype != "float32"
    note = f"more is allowed than in float32, for {model.dtype} rounds coarsely" if half else ""
    # The recorder computes weights in float32, whatever the model's precision.
    rows = (vector, note) if half and model.method == "eager" else (TOLERANCES["float32"][0], "")
    sunk = architectures.has_sinks(model.model)
    found = {
        **weights_alone(cap, *rows, sunk, within(progress, 0, 0.25)),
        **against_eager(model, cap, tolerances, note, within(progress, 0.25, 0.8)),
        **projections(cap, within(progress, 0.8, 1)),
    }
    return tuple(found[name] for name in CLAIMS)
