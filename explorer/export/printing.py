"""A page of HTML printed to PDF, without a window."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor

from explorer.export.browser import named_browser, saying_what_failed

_LONGEST_S = 60


def pdf_bytes(page: str) -> bytes:
    """A standalone page as PDF, on paper of the size its ``@page`` rule names.

    The browser is the one the environment variable ``CHROMIUM`` names, or else one that is
    found. Nothing is fetched from a network.

    Raises:
        ExportError: there is no browser, or it failed.
    """
    path = named_browser()

    def print_it() -> bytes:
        return asyncio.run(asyncio.wait_for(_printed(page, path), _LONGEST_S))

    # In a thread of its own: who asks may be in an event loop, as a notebook's cells are.
    with saying_what_failed("a PDF is printed", "print the page"), ThreadPoolExecutor(1) as thread:
        return thread.submit(print_it).result()


async def _printed(page: str, path: str | None) -> bytes:
    from choreographer import Browser  # slow to import, and only needed here

    async with Browser(path, headless=True) as browser:
        tab = await browser.create_tab("about:blank")
        tree = await tab.send_command("Page.getFrameTree")
        frame = tree["result"]["frameTree"]["frame"]["id"]
        await tab.send_command("Page.setDocumentContent", {"frameId": frame, "html": page})
        answer = await tab.send_command(
            "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
        )
    return base64.b64decode(answer["result"]["data"])
