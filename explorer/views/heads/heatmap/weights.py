"""The weights of a map, some queries at a time: of one head, or of several together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from explorer.analysis.measures.norms import norm_weights
from explorer.records import AttentionStack, CapturedText, FloatArray, MapOptions

AGGREGATES = ("head", "mean", "max", "sum")

# The values of the queries in a slice: [q, K].
RowReader = Callable[[slice], np.ndarray]


def weights_by(cap: CapturedText, layer: int, head: int, stack: str | None, switches: MapOptions) -> RowReader:
    """A function that computes the weights of any queries.

    Raises:
        ValueError: an unknown layer, head or aggregate.
    """
    source = cap.stack(stack)
    if switches.aggregate not in AGGREGATES:
        raise ValueError(f"unknown way to combine heads '{switches.aggregate}': use {', '.join(AGGREGATES)}")
    if switches.aggregate == "sum" and not switches.norm:
        raise ValueError("a sum of heads is defined for norm-based weights only: use mean or max")
    if switches.aggregate == "sum" and switches.heads:
        raise ValueError("the sum is over all heads of a layer: use mean or max for chosen heads")
    for of_layer, of_head in ((layer, head), *switches.heads):
        source.attention(of_layer, of_head, slice(0, 1))  # raises if there is no such head
    if switches.aggregate == "sum":
        return lambda rows: norm_weights(cap, layer, None, stack, rows)

    def weights_of(layer: int, head: int, rows: slice) -> FloatArray:
        return norm_weights(cap, layer, head, stack, rows) if switches.norm else source.attention(layer, head, rows)

    heads = _heads(source, layer, head, switches)
    return lambda rows: _combined([partial(weights_of, *one, rows) for one in heads], switches.aggregate)


def allowed_by(source: AttentionStack, layer: int, head: int, switches: MapOptions) -> RowReader:
    """A function that computes which keys any queries may attend to, in at least one of the map's layers."""
    layers = sorted({layer for layer, _ in _heads(source, layer, head, switches)})
    return lambda rows: np.logical_or.reduce([source.allowed(layer, rows) for layer in layers])


def _heads(source: AttentionStack, layer: int, head: int, switches: MapOptions) -> tuple[tuple[int, int], ...]:
    """The heads (layer, head) of a map."""
    if switches.aggregate == "head":
        return ((layer, head),)
    return switches.heads or tuple((layer, number) for number in range(source.n_heads))


def _combined(maps: Sequence[Callable[[], FloatArray]], aggregate: str) -> FloatArray:
    """The aggregate of maps that are computed one after the other, so that at most two are in memory."""
    result = maps[0]()
    for make in maps[1:]:
        result = np.maximum(result, make()) if aggregate == "max" else result + make()
    return result / np.float32(len(maps)) if aggregate == "mean" else result
