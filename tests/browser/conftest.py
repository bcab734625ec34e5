"""One server and one browser for all browser tests, a fresh profile for each.

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
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

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

OpenContext = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``python app.py`` on a free port, out of reach of any hub."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outside = {
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HUB_CACHE": str(tmp_path_factory.mktemp("hub")),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env={**os.environ, **outside},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
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
def browser() -> Iterator[Browser]:
    """The system's Chromium; its absence is a failure, never a skipped test."""
    named = os.environ.get("CHROMIUM")
    names = [named] if named else _BROWSERS
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail(
            f"the browser tests found none of {', '.join(names)}: install Chromium, "
            "or name one with CHROMIUM=/path/to/chromium"
        )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield running
        running.close()


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
def open_context(browser: Browser, server: Server, problems: list[str]) -> Iterator[OpenContext]:
    """A function that makes a fresh, watched browser profile."""
    contexts: list[BrowserContext] = []

    def open_one(
        width: int = 1440, height: int = 900, scheme: str = "light", scale: float = 1
    ) -> BrowserContext:
        context = browser.new_context(
            base_url=server.url,
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(20_000)
        _watch(context, server, problems)
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


def _watch(context: BrowserContext, server: Server, problems: list[str]) -> None:
    def on_failure(request: Request) -> None:
        # What the browser itself gave up, leaving the page, is no failure.
        if request.failure != "net::ERR_ABORTED":
            problems.append(f"request failed: {request.method} {request.url} ({request.failure})")

    def on_request(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and not request.url.startswith(server.url + "/"):
            problems.append(f"request to another host: {request.url}")

    context.on("request", on_request)
    context.on("requestfailed", on_failure)
    context.on(
        "response",
        lambda response: (
            problems.append(f"HTTP {response.status}: {response.url}")
            if response.status >= 400
            else None
        ),
    )
    context.on(
        "console",
        lambda message: (
            problems.append(f"console {message.type}: {message.text}")
            if message.type in ("error", "assert")
            else None
        ),
    )
    context.on("weberror", lambda error: problems.append(f"page error: {error.error}"))
    context.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))


@pytest.fixture
def page(open_context: OpenContext) -> Page:
    """One page at 1440×900, light."""
    return open_context().new_page()


@pytest.fixture
def heads(page: Page) -> Heads:
    """The Heads page, its first result drawn."""
    return Heads(page).open()


@pytest.fixture
def embeddings(page: Page) -> Embeddings:
    """The Embeddings page, its first result drawn."""
    return Embeddings(page).open()


@pytest.fixture
def sentence() -> str:
    """A sentence nobody wrote before: words of random syllables."""
    return new_sentence()


def new_sentence() -> str:
    chance = random.SystemRandom()
    words = [
        "".join(
            chance.choice("bdfgklmnprstvz") + chance.choice("aeiou")
            for _ in range(chance.randint(1, 4))
        )
        for _ in range(9)
    ]
    words.append(words[chance.randrange(9)])  # one stands there twice
    made = re.sub("^.", lambda first: first.group().upper(), " ".join(words)) + "."
    print("sentence:", made)
    return made
