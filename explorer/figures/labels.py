"""Which points of a crowded figure have room for their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from explorer.figures.style import width_of
from explorer.records import FloatArray

_CHARACTER = 7.0  # pixels, width of a character
_LINE = 15.0  # pixels, height of a name
_MARK = 5.0  # pixels from a point's centre to its name
_MAY_COVER = 1  # points under a name


def named(
    pictures: Sequence[FloatArray],
    names: Sequence[str],
    first: Iterable[int] = (),
    most: int = 60,
    size: tuple[float, float] = (900, 520),
) -> list[int]:
    """Indices of points whose names, right above them, overlap neither another name nor other points.

    Args:
        pictures: the points of one or more figures [N, 2]; a name must fit in all of them.
        names: the points' names [N].
        first: points with priority; the very first one may cover others.
        most: largest number of names.
        size: of a figure in pixels, with one scale for both axes.
    """
    placed = [_pixels(points, size) for points in pictures]
    preferred = list(dict.fromkeys(first))
    finite = np.isfinite(np.concatenate(placed, axis=1)).all(axis=1)
    taken: list[list[tuple[float, float, float]]] = [[] for _ in placed]
    chosen: list[int] = []
    for index in dict.fromkeys([*preferred, *range(len(names))]):
        if len(chosen) == most:
            break
        if not finite[index]:
            continue
        half = width_of(names[index]) * _CHARACTER / 2
        boxes = [(*at[index].tolist(), half) for at in placed]
        free = not any(
            abs(box[0] - other[0]) < box[2] + other[2] and abs(box[1] - other[1]) < _LINE
            for box, others in zip(boxes, taken, strict=True)
            for other in others
        )
        if free and (
            index in preferred[:1]
            or all(_covered(at, box) <= _MAY_COVER for at, box in zip(placed, boxes, strict=True))
        ):
            chosen.append(index)
            for box, others in zip(boxes, taken, strict=True):
                others.append(box)
    return chosen


def _covered(at: FloatArray, box: tuple[float, float, float]) -> int:
    """Number of points under a name."""
    above = at[:, 1] - box[1]
    beside = np.abs(at[:, 0] - box[0])
    return int(((beside < box[2]) & (above > _MARK) & (above < _MARK + _LINE)).sum())


def thinned(count: int, most: int, kept: Iterable[int] = ()) -> list[int]:
    """At most ``most`` of ``count`` indices, evenly spaced, and those of ``kept``."""
    even = range(count) if count <= most else np.linspace(0, count - 1, most).astype(int).tolist()
    return sorted({*even, *kept})


def _pixels(points: FloatArray, size: tuple[float, float]) -> FloatArray:
    """Points [N, 2] in pixels, y upwards, with one scale for both axes."""
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        return points
    span = np.maximum(np.ptp(finite, axis=0), 1e-12)
    at: FloatArray = points * float((np.array(size) / span).min())
    return at
