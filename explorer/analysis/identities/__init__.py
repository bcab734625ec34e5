"""Identities that any model obeys on any text: how far a capture is from each."""

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

# By precision, the error that passes: absolute of a weight, relative of vectors. Half precision
# rounds scores before the softmax, bfloat16 to less than three digits.
TOLERANCES = {"float32": (1e-5, 1e-4), "float16": (0.05, 0.02), "bfloat16": (0.2, 0.1)}


def identities(model: LoadedModel, cap: Capture, progress: Progress | None = None) -> tuple[Identity, ...]:
    """Hold a capture against every identity, in all its stacks, layers and heads.

    Args:
        model: what the text was captured with.
        cap: the captured text.
        progress: called with a sentence and a share as it goes on; what it raises ends it.

    Returns:
        An identity for each of ``CLAIMS``, in their order; one that does not apply says why.

    Raises:
        ValueError: a capture of another model.
        ModelError: the model failed on the text when it was run again; one line says why.
    """
    if cap.model_name != model.name:
        raise ValueError(f"the text was captured with {cap.model_name}, not with {model.name}")
    tell = progress or (lambda _sentence, _share: None)
    weight, vector = TOLERANCES[model.dtype]
    tolerances = {name: weight if name == "eager_attention" else vector for name in NAMES}
    half = model.dtype != "float32"
    note = f"more is allowed than in float32, for {model.dtype} rounds coarsely" if half else ""
    # A recorder's weights are made in float32 whatever the model computes in.
    rows = (vector, note) if half and model.method == "eager" else (TOLERANCES["float32"][0], "")
    sunk = architectures.has_sinks(model.model)
    found = {
        **weights_alone(cap, *rows, sunk, within(tell, 0, 0.25)),
        **against_eager(model, cap, tolerances, note, within(tell, 0.25, 0.8)),
        **projections(cap, within(tell, 0.8, 1)),
    }
    return tuple(found[name] for name in CLAIMS)
