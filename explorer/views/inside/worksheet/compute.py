"""One query of one head, step by step: from q·k to its contribution to the residual stream."""

from __future__ import annotations

import numpy as np

from explorer.capture.loading import Progress
from explorer.records import CapturedText, FloatArray, HeadMaps, ModelError, QueryRow, ScoreParts
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.worksheet import WorksheetSettings


def compute(session: Session, settings: WorksheetSettings, progress: Progress | None = None) -> QueryRow:
    """One query of a head, step by step; with the vectors before rotation where they are known."""
    cap, stack = session.capture(settings.request, progress), settings.stack or None
    cap.stack(stack).call(settings.layer, settings.head)
    try:
        maps = head_maps_of(session, settings.request, stack, settings.layer, settings.head)
    except ModelError:  # of an architecture whose weight matrices are not known
        maps = None
    row = query_row(cap, settings.layer, settings.head, settings.query, stack, maps)
    key_of(row, settings.key)
    return row


def has_key(row: QueryRow, key: str) -> bool:
    """Whether the row has a key of this number."""
    return key.isdecimal() and int(key) < len(row.labels)


def key_of(row: QueryRow, key: str) -> int:
    """The key whose vectors are drawn: the chosen one, or the one with most weight.

    Raises:
        ValueError: a key the row does not have.
    """
    if not key:
        return int(row.weights.argmax())
    if not has_key(row, key):
        raise ValueError(f"key {key} is out of range: keys are 0 to {len(row.labels) - 1}")
    return int(key)


def query_row(
    cap: CapturedText, layer: int, head: int, query: int, stack: str | None = None, maps: HeadMaps | None = None
) -> QueryRow:
    """Recompute one query's row, in float64, from the head's queries, keys and values.

    The weights are softmax(c·tanh(q·k·scale / c) + bias) over the keys the query may see, the
    tanh only where the model caps its scores, a learned sink beside the keys where it has one
    (Vaswani et al. 2017; Gemma 2; gpt-oss).

    Args:
        cap: the captured text.
        layer: counted from 0.
        head: counted from 0.
        query: the token that attends, counted from 0.
        stack: None means the only or first one.
        maps: the head's maps, for queries and keys before rotation.

    Raises:
        ValueError: layer, head, query or stack out of range.
        ModelError: captured eagerly, so that queries and keys are not known.
    """
    source = cap.stack(stack)
    parts = source.score_parts(layer, head, query)
    q = source.q(layer, head)[query].astype(np.float64)
    k, v = (vectors(layer, head).astype(np.float64) for vectors in (source.k, source.v))
    products = k @ q
    scaled = softmax_input(products, parts)
    exponentials, sink = _exponentials(scaled, parts)
    weights = np.nan_to_num(exponentials) / (np.nansum(exponentials) + sink or 1.0)
    transformed = source.transformed_values(layer, head).astype(np.float64)
    captured = source.attention(layer, head, slice(query, query + 1))[0]
    rotated = maps if maps and maps.rotated else None
    return QueryRow(
        source=Source.of(cap, stack),
        stack=source.name,
        layer=layer,
        head=head,
        kv_head=head // (source.n_heads // source.n_kv_heads),
        query=query,
        query_label=source.query_tokens.labels[query],
        labels=source.key_tokens.labels,
        parts=parts,
        q=q,
        k=k,
        v=v,
        q_before=rotated.q_before[query] if rotated else None,
        k_before=rotated.k_before if rotated else None,
        products=products,
        scaled=scaled,
        exponentials=exponentials,
        sink_exponential=sink,
        weights=weights,
        value_lengths=np.linalg.norm(v, axis=1),
        contributions=weights * np.linalg.norm(transformed, axis=1),
        output=weights @ v,
        added=weights @ transformed,
        error=float(np.abs(weights - captured).max()),
    )


def softmax_input(products: FloatArray, parts: ScoreParts) -> FloatArray:
    """q·k [K] scaled, soft-capped, and with the position's bias, before the mask."""
    scaled = products * parts.scale
    if parts.softcap is not None:
        scaled = parts.softcap * np.tanh(scaled / parts.softcap)
    return scaled if parts.bias is None else scaled + parts.bias


def _exponentials(scaled: FloatArray, parts: ScoreParts) -> tuple[FloatArray, float]:
    """E to the power of each allowed score less the largest [K], and of the sink's."""
    sinks = [] if parts.sink is None else [parts.sink]
    largest = max([*scaled[parts.allowed].tolist(), *sinks], default=0.0)
    exponentials = np.where(parts.allowed, np.exp(np.where(parts.allowed, scaled, 0) - largest), np.nan)
    return exponentials, 0.0 if parts.sink is None else float(np.exp(parts.sink - largest))
