"""The weights behind a map, some queries at a time: one head's, or several taken together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from explorer.analysis.measures.norms import norm_weights
from explorer.records import AttentionStack, CapturedText, FloatArray, MapOptions

OVER = ("head", "mean", "max", "sum")

# Gives what belongs to the queries in a slice: [q, K].
RowReader = Callable[[slice], np.ndarray]


def weights_by(cap: CapturedText, layer: int, head: int, stack: str | None, switches: MapOptions) -> RowReader:
    """What gives the weights of any queries, with the switches that say whose.

    Raises:
        ValueError: a layer or head there is not, or a way of combining heads that is none.
    """
    source = cap.stack(stack)
    _check(source, layer, head, switches)
    if switches.aggregate == "sum":
        return lambda rows: norm_weights(cap, layer, None, stack, rows)

    def of_head(of: tuple[int, int], rows: slice) -> FloatArray:
        if switches.norm:
            return norm_weights(cap, of[0], of[1], stack, rows)
        return source.attention(of[0], of[1], rows)

    chosen = _together(source, layer, head, switches)
    return lambda rows: _combined([partial(of_head, of, rows) for of in chosen], switches.aggregate)


def allowed_by(source: AttentionStack, layer: int, head: int, switches: MapOptions) -> RowReader:
    """What tells which keys any queries may see, in one at least of the map's layers."""
    layers = sorted({of for of, _ in _together(source, layer, head, switches)})
    return lambda rows: np.logical_or.reduce([source.allowed(of, rows) for of in layers])


def _together(source: AttentionStack, layer: int, head: int, switches: MapOptions) -> tuple[tuple[int, int], ...]:
    """The heads (layer, head) that a map is made of."""
    if switches.aggregate == "head":
        return ((layer, head),)
    return switches.heads or tuple((layer, number) for number in range(source.n_heads))


def _combined(maps: Sequence[Callable[[], FloatArray]], over: str) -> FloatArray:
    """Maps made one after the other, so that two at most are held."""
    result = maps[0]()
    for make in maps[1:]:
        result = np.maximum(result, make()) if over == "max" else result + make()
    return result / np.float32(len(maps)) if over == "mean" else result


def _check(source: AttentionStack, layer: int, head: int, switches: MapOptions) -> None:
    if switches.aggregate not in OVER:
        raise ValueError(f"unknown way to combine heads '{switches.aggregate}': use {', '.join(OVER)}")
    if switches.aggregate == "sum" and not switches.norm:
        raise ValueError("a sum of heads is told of norm-based weights only: use mean or max")
    if switches.aggregate == "sum" and switches.heads:
        raise ValueError("the sum is over all heads of a layer: use mean or max for chosen heads")
    for of_layer, of_head in ((layer, head), *switches.heads):
        source.attention(of_layer, of_head, slice(0, 1))  # says so if there is no such head
