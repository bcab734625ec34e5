"""Pages of HTML printed to PDF, without a window."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from explorer.saving.browser_session import BrowserSession

if TYPE_CHECKING:
    from choreographer import Browser


def pdf_bytes(page: str) -> bytes:
    """A standalone page as PDF, on paper of the size its ``@page`` rule names.

    The browser is the one the environment variable ``CHROMIUM`` names, or else one that is
    found. Nothing is fetched from a network.

    Raises:
        ExportError: there is no browser, or it failed.
    """
    with printer() as print_page:
        return print_page(page)


@contextmanager
def printer() -> Iterator[Callable[[str], bytes]]:
    """One browser for many pages: it starts with the first and ends with the context.

    Gives a function like ``pdf_bytes``.
    """
    kept = BrowserSession(_browser)
    try:
        yield lambda page: kept.do(lambda browser: _printed(browser, page), "a PDF is printed", "print the page")
    finally:
        kept.close()


def _browser(path: str | None) -> Browser:
    from choreographer import Browser  # slow to import, and only needed here

    return Browser(path, headless=True)


async def _printed(browser: Browser, page: str) -> bytes:
    tab = await browser.create_tab("about:blank")
    tree = await tab.send_command("Page.getFrameTree")
    frame = tree["result"]["frameTree"]["frame"]["id"]
    await tab.send_command("Page.setDocumentContent", {"frameId": frame, "html": page})
    answer = await tab.send_command("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    await tab.close()
    return base64.b64decode(answer["result"]["data"])
