"""A browser that stays open for many jobs, beside whatever else the program does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from explorer.saving.browser import named_browser, saying_what_failed

if TYPE_CHECKING:
    from choreographer import Browser

B = TypeVar("B", bound="Browser")
T = TypeVar("T")

_LONGEST_S = 90  # a start, or one job
_CLOSING_S = 10


class BrowserSession(Generic[B]):
    """A browser in a thread and an event loop of its own, started by the first job.

    Any thread may ask for a job, also one whose event loop runs, as that of a notebook does.

    Args:
        make: the browser, not yet open, of the program that ``CHROMIUM`` names; None leaves
            the search to it.
    """

    def __init__(self, make: Callable[[str | None], B]) -> None:
        self._make = make
        self._starting = Lock()
        self._thread: Thread | None = None
        self._opened: Future[B] = Future()

    def do(self, job: Callable[[B], Coroutine[Any, Any, T]], made: str, doing: str) -> T:
        """What a job gives; ``made`` and ``doing`` as ``saying_what_failed`` has them.

        Raises:
            ExportError: there is no browser, or it failed.
        """
        with saying_what_failed(made, doing):
            browser = self._browser()
            asked = asyncio.run_coroutine_threadsafe(self._in_time(job(browser)), self._loop)
            try:
                return asked.result()
            finally:
                asked.cancel()

    def close(self) -> None:
        """End the browser, whatever it is at; without one there is nothing to do."""
        if self._thread is not None:
            with suppress(RuntimeError):  # it failed to open, and its loop is closed
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def _browser(self) -> B:
        with self._starting:
            if self._thread is None:
                path = named_browser()
                self._loop, self._ended = asyncio.new_event_loop(), asyncio.Event()
                self._thread = Thread(target=self._live, args=(path,), name="browser")
                self._thread.start()
        return self._opened.result()

    def _live(self, path: str | None) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._serve(path))
            except BaseException as error:
                self._opened.set_exception(error)

    async def _serve(self, path: str | None) -> None:
        # Who asked is told; what the browser's own tasks meet while it ends is of no interest.
        self._loop.set_exception_handler(lambda _loop, _met: None)
        browser = self._make(path)
        try:
            await self._in_time(browser.open())
            self._opened.set_result(browser)
            await self._ended.wait()
        finally:
            with suppress(Exception):  # it may be gone: Ctrl-C reaches it as well
                await asyncio.wait_for(browser.close(), _CLOSING_S)

    async def _in_time(self, job: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wait_for(job, _LONGEST_S)
