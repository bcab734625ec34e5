"""The numbers of a result as named arrays, for NPZ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

_TOLD = ("versions", "provenance")  # what a file tells in words


def arrays_of(result: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Every list of a result as an array, and each single number, under its name.

    A list of rows (each a mapping) is an array a column, as "points.x"; a nested mapping is
    told the same way. What is undefined (None) among numbers is NaN.
    """
    return dict(_named(result, ""))


def _named(part: Mapping[str, Any], before: str) -> Iterator[tuple[str, np.ndarray]]:
    for key, value in part.items():
        name = f"{before}{key}"
        if not before and key in _TOLD:
            continue
        if isinstance(value, Mapping):
            yield from _named(value, f"{name}.")
        elif isinstance(value, (list, tuple, np.ndarray)) and len(value):
            if isinstance(value[0], Mapping):
                names = dict.fromkeys(column for row in value for column in row)
                columns = {column: [row.get(column) for row in value] for column in names}
                yield from _named(columns, f"{name}.")
            else:
                yield name, _array(value)
        elif isinstance(value, (int, float, str)):
            yield name, np.array(value)


def _array(values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Numbers as numbers, all else as text; rows of unequal length as text, too."""
    try:
        found = np.array(values)
    except ValueError:
        return np.array([str(value) for value in values])
    if found.dtype != object:
        return found
    try:
        return found.astype(float)  # None is NaN
    except (TypeError, ValueError):
        return np.array([str(value) for value in values])
