"""Servers and browsers that a bench starts and ends."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Playwright

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWPORT = {"width": 1440, "height": 900}
START_S = 120.0


@contextmanager
def served(*command: str) -> Iterator[str]:
    """The address of a server run as ``python command…``, PORT in it being a free one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    filled = [str(port) if part == "PORT" else part for part in command]
    process = subprocess.Popen(
        [sys.executable, *filled], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        _wait_until_it_answers(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"{process.args} did not start")


@contextmanager
def opened(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, or the one that CHROMIUM names."""
    named = os.environ.get("CHROMIUM")
    path = next(filter(None, map(shutil.which, [named] if named else BROWSERS)), None)
    if path is None:
        raise SystemExit("no Chromium was found: install one, or name it with CHROMIUM=/path")
    browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()


def new_page(browser: Browser, timeout_ms: float) -> Page:
    """A page of a fresh profile, with the timers of ``timers.js`` in it."""
    page = browser.new_context(viewport=VIEWPORT, color_scheme="light").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(timeout_ms)
    page.add_init_script(path=Path(__file__).with_name("timers.js"))
    return page


def count_nodes(page: Page) -> int:
    """How many elements the page has."""
    count: int = page.evaluate("document.getElementsByTagName('*').length")
    return count


def answered(url: str, body: str) -> tuple[float, int]:
    """Seconds until a page's question is answered in full, and the answer's bytes, compressed."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    try:
        connection.connect()
        start = time.perf_counter()
        connection.request(
            "POST",
            f"{address.path}?{address.query}",
            body.encode(),
            {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate, br, zstd"},
        )
        answer = connection.getresponse()
        size = len(answer.read())
        took = time.perf_counter() - start
    finally:
        connection.close()
    if answer.status != 200:
        raise SystemExit(f"the server answered a callback with HTTP {answer.status}")
    return took, size
