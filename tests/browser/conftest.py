"""One server and one browser for all browser tests; each page is a new visitor's.

A test that meets a console error, a page error, a failed request, a request to another host or
a traceback in the server's log fails, whatever else it checks.
"""

from __future__ import annotations

import os
import queue
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    sync_playwright,
)

from tests.browser.driving import Server
from tests.browser.driving_embeddings import Embeddings
from tests.browser.driving_heads import Heads

ROOT = Path(__file__).parents[2]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_S = 120

# Nothing is stored, no menu is open, and the look is the one that a page opens with.
_IS_AS_FOUND = """() => Boolean(window.openAddress)
  && Object.keys(localStorage).every(key => key === 'kept-timestamp' || (key === 'kept' && localStorage.kept === '[]'))
  && !Array.from(document.querySelectorAll('[role=dialog], [role=listbox]')).some(menu => menu.checkVisibility())
  && document.documentElement.dataset.theme === 'light' && !('present' in document.documentElement.dataset)"""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``python app.py`` on a free port, out of reach of any hub."""
    with serving(["app.py", "--port"], tmp_path_factory.mktemp("hub")) as running:
        yield running


@contextmanager
def serving(arguments: list[str], hub: Path) -> Iterator[Server]:
    """A server started by Python with these arguments and a free port after them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outside = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_CACHE": str(hub), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *arguments, str(port)],
        cwd=ROOT,
        env={**os.environ, **outside},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log: list[str] = []
    started: queue.Queue[bool] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, log, started))
    reader.start()
    try:
        try:
            listening = started.get(timeout=_START_S)
        except queue.Empty:
            listening = False
        if not listening:
            pytest.fail(f"the server did not start: {''.join(log) or 'it said nothing'}")
        yield Server(f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        process.wait(30)
        reader.join(30)
        assert process.stdout is not None
        process.stdout.close()


def _read(process: subprocess.Popen[str], log: list[str], started: queue.Queue[bool]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        log.append(line)
        if "http://127.0.0.1:" in line:
            started.put(True)
    started.put(False)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's Chromium; its absence is a failure, never a skipped test."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else _BROWSERS
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail(
            f"the browser tests found none of {', '.join(names)}: install Chromium, "
            "or name one with CHROMIUM=/path/to/chromium"
        )
    return path


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """A browser beside the app's, to open what was saved."""
    running = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
    yield running
    running.close()


@pytest.fixture(scope="session")
def profile(
    playwright: Playwright, chromium: str, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """The profile of all pages of the app: one on a disk keeps the scripts' compiled code.

    That halves what it takes to open a page.
    """
    kept = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium,
        args=_ARGUMENTS,
        base_url=server.url,
        reduced_motion="reduce",
    )
    kept.set_default_timeout(20_000)
    yield kept
    kept.close()


@pytest.fixture
def problems(server: Server) -> Iterator[list[str]]:
    """What went wrong beside the test's own business; anything in it fails the test."""
    found: list[str] = []
    logged = len(server.log)
    yield found
    said = "".join(server.log[logged:])
    if "Traceback" in said:
        found.append(f"the server's log: {said}")
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.fixture
def watched(profile: BrowserContext, server: Server, problems: list[str]) -> Iterator[None]:
    """Notes the problems of all pages, those that are there already among them."""
    listeners = _listeners(server, problems)
    for event, listener in listeners.items():
        profile.on(event, listener)  # type: ignore[call-overload]
    yield
    for event, listener in listeners.items():
        profile.remove_listener(event, listener)
    profile.clear_permissions()


@pytest.fixture
def open_page(profile: BrowserContext, server: Server, watched: None) -> Iterator[OpenPage]:
    """A function that opens an empty, watched page, as of somebody who was never here."""
    pages: list[Page] = []

    def open_one(width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        page = profile.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        profile.new_cdp_session(page).send(
            "Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": "local_storage"}
        )
        return page

    yield open_one
    for page in pages:
        page.close()


def _listeners(server: Server, problems: list[str]) -> dict[str, Callable[[Any], None]]:
    """What notes the problems, by the event that tells of them."""

    def on_failure(request: Request) -> None:
        # What the browser itself gave up, leaving the page, is no failure.
        if request.failure != "net::ERR_ABORTED":
            problems.append(f"request failed: {request.method} {request.url} ({request.failure})")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and not request.url.startswith(server.url + "/"):
            problems.append(f"request to another host: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            problems.append(f"HTTP {response.status}: {response.url}")

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            problems.append(f"console {message.type}: {message.text}")

    return {
        "request": on_request,
        "requestfailed": on_failure,
        "response": on_response,
        "console": on_console,
        "weberror": lambda error: problems.append(f"page error: {error.error}"),
        "dialog": lambda dialog: problems.append(f"dialog: {dialog.message}"),
    }


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """One page at 1440×900, light."""
    return open_page()


@pytest.fixture(scope="session")
def opened_before() -> list[Page]:
    """The page that tests share, where the one before left it as it was found."""
    return []


@pytest.fixture
def shared_page(opened_before: list[Page], profile: BrowserContext, watched: None) -> Iterator[Page]:
    """A page at 1440×900, light, in which an earlier test may have opened the app.

    Loading the scripts is most of the time that a test takes, and opening an address in a page that
    has them is what the app does itself.
    """
    page = opened_before.pop() if opened_before else profile.new_page()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light", media="screen")
    others = list(profile.pages)
    yield page
    page.unroute_all()
    if page.url != "about:blank" and profile.pages == others and page.evaluate(_IS_AS_FOUND):
        opened_before.append(page)
    else:
        page.close()


@pytest.fixture
def heads(shared_page: Page) -> Heads:
    """The Heads page, its first result drawn."""
    return Heads(shared_page).open()


@pytest.fixture
def embeddings(shared_page: Page) -> Embeddings:
    """The Embeddings page, its first result drawn."""
    return Embeddings(shared_page).open()


@pytest.fixture
def sentence() -> str:
    """A sentence nobody wrote before: words of random syllables."""
    return new_sentence()


def new_sentence() -> str:
    chance = random.SystemRandom()
    words = [
        "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(1, 4)))
        for _ in range(9)
    ]
    words.append(words[chance.randrange(9)])  # one stands there twice
    made = re.sub("^.", lambda first: first.group().upper(), " ".join(words)) + "."
    print("sentence:", made)
    return made
