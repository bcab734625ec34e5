"""What each head of a layer adds to a token: concatenation and sum over heads are the same."""

from __future__ import annotations

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import CapturedText, HeadOutputs
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.inside.page import InsideSettings


def compute(session: Session, settings: InsideSettings, progress: Progress | None = None) -> HeadOutputs:
    """What each head of the layer adds to the chosen token."""
    cap = session.capture(settings.request, progress)
    cap.stack(settings.stack or None).call(settings.layer, settings.head)
    return head_outputs(cap, settings.layer, settings.query, settings.stack or None)


def head_outputs(cap: CapturedText, layer: int, query: int, stack: str | None = None) -> HeadOutputs:
    """Every head's output for one token.

    Concatenated and multiplied by W_O, the heads' mixed values give what the sum over heads of
    A·v·W_O[h] gives (Elhage et al. 2021): the rows of W_O are one matrix per head.

    Raises:
        ValueError: layer, query or stack out of range.
        ModelError: captured eagerly, so that values are not known.
    """
    source = cap.stack(stack)
    source.score_parts(layer, 0, query)
    rows = slice(query, query + 1)
    weights = source.attention(layer, rows=rows)[:, 0].astype(np.float64)
    values = np.stack([source.v(layer, head) for head in range(source.n_heads)])
    mixed = np.einsum("hk,hkd->hd", weights, values.astype(np.float64))
    transformed = source.transformed_values(layer).astype(np.float64)
    return HeadOutputs(
        source=Source.of(cap, stack),
        stack=source.name,
        layer=layer,
        query=query,
        query_label=source.query_tokens.labels[query],
        added=np.einsum("hk,hkd->hd", weights, transformed),
        bias=source.output_bias(layer).astype(np.float64),
        mixed=mixed,
        output=source.projected(layer, mixed.reshape(1, -1).astype(np.float32))[0],
    )
