"""Which points of a crowded picture can carry their names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from explorer.figures.style import width_of
from explorer.records import FloatArray

_CHARACTER = 7.0  # pixels at the labels' size
_LINE = 15.0
_MARK = 6.0  # from a point's middle to its edge and a little more


def named(
    pictures: Sequence[FloatArray],
    names: Sequence[str],
    first: Iterable[int] = (),
    most: int = 60,
    size: tuple[float, float] = (900, 520),
) -> list[int]:
    """Points whose names, right above them, lie neither on another name nor on a chosen point.

    Args:
        pictures: the points of one or more pictures [N, 2]; a name must fit in all of them.
        names: the points' names [N].
        first: who is asked before the others, which are asked in their order.
        most: how many names there may be.
        size: of a picture in pixels, both axes to one scale.
    """
    placed = [_pixels(points, size) for points in pictures]
    order = list(dict.fromkeys([*first, *range(len(names))]))
    order = [i for i in order if all(math.isfinite(x) for at in placed for x in at[i])]
    taken: list[list[tuple[float, float, float]]] = [[] for _ in placed]
    chosen: list[int] = []
    for index in order:
        if len(chosen) == most:
            break
        half = width_of(names[index]) * _CHARACTER / 2
        boxes = [(*at[index], half) for at in placed]
        if not any(
            abs(box[0] - other[0]) < box[2] + other[2] and abs(box[1] - other[1]) < _LINE + _MARK
            for box, others in zip(boxes, taken, strict=True)
            for other in others
        ):
            chosen.append(index)
            for box, others in zip(boxes, taken, strict=True):
                others.append(box)
    return chosen


def thinned(count: int, most: int, kept: Iterable[int] = ()) -> list[int]:
    """At most about ``most`` of ``count`` places, evenly apart, and with them those to be kept."""
    step = max(1, math.ceil(count / most))
    return sorted({*range(0, count, step), *kept})


def _pixels(points: FloatArray, size: tuple[float, float]) -> list[list[float]]:
    points = np.asarray(points, dtype=np.float64)
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return [[math.nan, math.nan]] * len(points)
    span = np.maximum(np.ptp(finite, axis=0), 1e-12)
    scale = float((np.array(size) / span).min())
    at: list[list[float]] = (points * scale).tolist()
    return at
