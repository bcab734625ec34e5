"""The cache: results by key, bounded by bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from explorer.session.cache import Cache, size_in_bytes


@dataclass(frozen=True)
class Pair:
    first: np.ndarray
    second: np.ndarray


def test_arrays_are_counted_once_each() -> None:
    array = np.zeros(100)  # 800 bytes
    assert size_in_bytes(array) == 800
    assert size_in_bytes([array, array]) == 800
    assert size_in_bytes({"a": array, "b": array[:50]}) == 800 + 400 + 2
    assert size_in_bytes(Pair(array, np.zeros(10, dtype=np.float32))) == 840
    assert size_in_bytes("four") == 4


def test_the_result_used_longest_ago_is_dropped_beyond_the_bytes() -> None:
    cache, computed = Cache(2_000), list[str]()

    def ask(name: str) -> np.ndarray:
        def compute() -> np.ndarray:
            computed.append(name)
            return np.zeros(100)

        return cache.get_or_compute(("kind", name), compute)

    for name in ("a", "b", "a", "c", "a", "b"):  # c drops b, the last b drops c
        ask(name)
    assert computed == ["a", "b", "c", "b"]
    assert cache.nbytes == 1_600


def test_a_result_larger_than_the_limit_is_kept_alone() -> None:
    cache = Cache(10)
    one = cache.get_or_compute(("a",), lambda: np.zeros(100))
    assert cache.get_or_compute(("a",), lambda: np.ones(1)) is one


def test_none_is_a_result() -> None:
    cache, calls = Cache(1_000), list[int]()
    for _ in range(2):
        assert cache.get_or_compute(("a",), lambda: calls.append(1)) is None
    assert calls == [1]


def test_what_fails_is_not_stored() -> None:
    cache = Cache(1_000)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute(("a",), lambda: 1 // 0)
    assert cache.get_or_compute(("a",), lambda: 2) == 2


def test_results_are_dropped_by_their_keys() -> None:
    cache = Cache(1_000)
    for name in ("a", "b"):
        cache.get_or_compute(("kind", name), lambda: 1)
    cache.drop(lambda key: "a" in key)
    assert cache.get_or_compute(("kind", "a"), lambda: 2) == 2
    assert cache.get_or_compute(("kind", "b"), lambda: 2) == 1
