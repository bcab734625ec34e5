"""A cache of results, bounded by bytes; each result is computed once, whoever asks for it at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Progress = Callable[[str, float | None], None]
_REPORT_EVERY_S = 0.25  # how often a waiting caller is told so, and can be cancelled
_OBJECT_BYTES = 64  # what a number or another small object is counted as


@dataclass
class _KeyLock:
    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: int = 0


class Cache:
    """Results by key, the least recently used dropped first when they exceed ``max_bytes``.

    When several threads ask for the same key at once, one computes and the others wait. A result
    may be computed from other results, if these are never computed from it: or two threads wait
    for each other.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._results: OrderedDict[tuple[Hashable, ...], tuple[Any, int]] = OrderedDict()
        self._locks: dict[Hashable, _KeyLock] = {}
        self._lock = threading.RLock()

    def get_or_compute(
        self, key: tuple[Hashable, ...], compute: Callable[[], T], progress: Progress | None = None
    ) -> T:
        """The result of a key, computed now if it is not there.

        Args:
            key: names the result; its first part names what kind of result it is.
            compute: makes it. What it raises is raised here, and nothing is stored.
            progress: called with a sentence while another thread computes; what it raises ends
                the wait.
        """
        if (found := self._find(key)) is not None:
            return found[0]
        with self.key_lock(key, progress):
            if (found := self._find(key)) is not None:  # another thread has computed it meanwhile
                return found[0]
            result = compute()
            with self._lock:
                self._results[key] = result, size_in_bytes(result)
                while len(self._results) > 1 and self.nbytes > self._max_bytes:
                    self._results.popitem(last=False)
        return result

    @contextmanager
    def key_lock(self, key: Hashable, progress: Progress | None = None) -> Iterator[None]:
        """One thread at a time for each key."""
        with self._lock:
            one = self._locks.setdefault(key, _KeyLock())
            one.wanted += 1
        try:
            while not one.lock.acquire(timeout=_REPORT_EVERY_S):
                if progress:
                    progress("waiting: this is being computed already", None)
            try:
                yield
            finally:
                one.lock.release()
        finally:
            with self._lock:
                one.wanted -= 1
                if not one.wanted:
                    del self._locks[key]

    def drop(self, is_dropped: Callable[[tuple[Hashable, ...]], bool]) -> None:
        """Forget the results whose keys are to be dropped."""
        with self._lock:
            for key in [key for key in self._results if is_dropped(key)]:
                del self._results[key]

    def put(self, key: tuple[Hashable, ...], result: Any) -> None:
        """Store a result that is at hand."""
        with self._lock:
            self._results[key] = result, size_in_bytes(result)

    @property
    def nbytes(self) -> int:
        """Bytes that all results hold together."""
        with self._lock:
            return sum(size for _, size in self._results.values())

    def _find(self, key: tuple[Hashable, ...]) -> tuple[Any, int] | None:
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)


def size_in_bytes(value: Any) -> int:
    """Bytes that a result holds: those of its arrays and texts, each counted once."""
    return _size(value, set())


def _size(value: Any, seen: set[int]) -> int:
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_size(key, seen) + _size(item, seen) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(_size(item, seen) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return sum(_size(getattr(value, one.name), seen) for one in fields(value))
    return _OBJECT_BYTES
