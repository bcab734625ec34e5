"""Work that takes longer than a click: run in the background, watched from the page."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from explorer.records import ModelError

log = logging.getLogger(__name__)

Tell = Callable[[str, float | None], None]
_KEPT = 64


@dataclass(frozen=True)
class Snapshot:
    """How far a job is: what it does now, its share of 1 if known, and how it ended.

    ``cause`` is the ValueError or ModelError behind ``error``, where it was one.
    """

    sentence: str
    share: float | None
    done: bool
    error: str | None
    cause: Exception | None = None


class Cancelled(Exception):
    """Raised where a job tells its progress after it was cancelled."""


class _Job:
    def __init__(self) -> None:
        self.sentence = "starting"
        self.share: float | None = None
        self.error: str | None = None
        self.cause: Exception | None = None
        self.cancelled = False
        self.finished = threading.Event()

    def tell(self, sentence: str, share: float | None) -> None:
        if self.cancelled:
            raise Cancelled
        self.sentence, self.share = sentence, share


class Jobs:
    """Background jobs by number; the last few stay to be asked about."""

    def __init__(self, workers: int = 4) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")
        self._jobs: dict[int, _Job] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def start(self, work: Callable[[Tell], object]) -> int:
        """Run ``work`` in the background; it is given a function to tell its progress with."""
        job = _Job()
        with self._lock:
            number = next(self._numbers)
            self._jobs[number] = job
            for old in [n for n, j in self._jobs.items() if j.finished.is_set()][:-_KEPT]:
                del self._jobs[old]
        self._pool.submit(self._run, job, work)
        return number

    def wait(self, number: int, seconds: float) -> Snapshot:
        """Wait until a job ends, ``seconds`` at most, and say how far it is."""
        job = self._jobs.get(number)
        if job is None:
            return Snapshot("", None, True, "this run is no longer known here: press Run again")
        done = job.finished.wait(seconds)
        return Snapshot(job.sentence, job.share, done, job.error, job.cause)

    def cancel(self, number: int) -> None:
        """Stop a job where it next tells its progress; one that has ended stays as it is."""
        job = self._jobs.get(number)
        if job is not None:
            job.cancelled = True

    @staticmethod
    def _run(job: _Job, work: Callable[[Tell], object]) -> None:
        try:
            work(job.tell)
        except (ValueError, ModelError) as error:
            log.warning("%s", error)
            job.error = str(error)
            # Without what was on the stack: it would stay in memory as long as the job does.
            job.cause = error.with_traceback(None)
        except Cancelled:
            job.error = "cancelled: what was there before is shown"
        except Exception as error:  # the page must hear of it, and the server must go on
            log.exception("a job failed")
            job.error = f"something went wrong inside ({type(error).__name__}); the log says more"
        finally:
            job.finished.set()
