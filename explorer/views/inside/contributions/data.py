"""What all heads add to a token, to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.records import CapturedText, HeadOutputs
from explorer.saving.formats import versions
from explorer.views.inside.contributions.figure import cosines


def outputs_json(outputs: HeadOutputs, cap: CapturedText, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Each head's vector with all that made it, a list a head in the heads' order.

    ``sum`` is that of all heads and the output projection's bias; ``projected`` is what the
    projection itself gives, ``error`` how far apart they are, relative to its length.

    Args:
        outputs: of one token.
        cap: the text it is in.
        settings: what else was chosen (device, dtype, target text, …).
    """
    total = outputs.added.sum(axis=0) + outputs.bias
    return {
        "kind": "head_outputs",
        "model": outputs.model,
        "revision": cap.revision,
        "stack": outputs.stack,
        "layer": outputs.layer,
        "text": cap.text,
        "pair": cap.pair,
        "query": outputs.query,
        "query_label": outputs.query_label,
        "lengths": np.linalg.norm(outputs.added, axis=1).tolist(),
        "cosines": cosines(outputs.added).tolist(),
        "cosines_with_sum": cosines(np.vstack([outputs.added, total]))[-1, :-1].tolist(),
        "outputs": outputs.added.tolist(),
        "bias": outputs.bias.tolist(),
        "sum": total.tolist(),
        "projected": outputs.output.tolist(),
        "error": outputs.error,
        "settings": {"truncation": outputs.truncation or None, **(settings or {})},
        "versions": versions(),
    }
