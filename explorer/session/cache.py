"""What was made once and is kept a while: results by key, one thread at a time for each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Tell = Callable[[str, float | None], None]
_KEPT = 16  # of each kind
_TELL_EVERY_S = 0.25  # how often who waits is told so, and can be cancelled


@dataclass
class _Turn:
    """Who makes one thing, and how many threads make it or wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: int = 0


class Results:
    """Results by key, the first part of which is their kind; of each kind the last are kept.

    What several threads ask for at once is made once: one makes it, the others wait. A result
    may be made of others, if these are never made of it: or two threads wait for each other.
    """

    def __init__(self, kept: Mapping[str, int]) -> None:
        """``kept`` tells how many are kept of kinds that are large; of others it is 16."""
        self._kept = kept
        self._results: OrderedDict[tuple[Hashable, ...], Any] = OrderedDict()
        self._turns: dict[Hashable, _Turn] = {}
        self._lock = threading.Lock()

    def once(self, key: tuple[Hashable, ...], make: Callable[[], T], tell: Tell | None) -> T:
        """A result that is made once and kept while it is among the last asked for."""
        with self.turn(key, tell):
            with self._lock:
                if key in self._results:
                    self._results.move_to_end(key)
                    return self._results[key]
            made = make()
            with self._lock:
                self._results[key] = made
                alike = [other for other in self._results if other[0] == key[0]]
                for other in alike[: -self._kept.get(str(key[0]), _KEPT)]:
                    del self._results[other]
        return made

    @contextmanager
    def turn(self, key: Hashable, tell: Tell | None) -> Iterator[None]:
        """One thread at a time for each key; who waits is told so, and can be cancelled."""
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.wanted += 1
        try:
            while not turn.lock.acquire(timeout=_TELL_EVERY_S):
                if tell:
                    tell("waiting: this is being made already", None)
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            with self._lock:
                turn.wanted -= 1
                if not turn.wanted:
                    del self._turns[key]
