"""The browser that draws and prints without a page: which one, and what to say without it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from explorer.saving.files import ExportError, NoBrowserError


def named_browser() -> str | None:
    """The browser that the environment variable ``CHROMIUM`` names; None leaves the search open.

    Raises:
        NoBrowserError: it is no program.
    """
    named = os.environ.get("CHROMIUM")
    if not named:
        return None
    path = shutil.which(named)
    if path is None:
        raise NoBrowserError(f"CHROMIUM={named} is no program: name a Chromium or Chrome that runs, or unset it")
    return path


@contextmanager
def saying_what_failed(made: str, doing: str) -> Iterator[None]:
    """Turn whatever a browser raises into one line.

    Args:
        made: what is made how, such as "a PNG is drawn".
        doing: what the browser was to do, such as "draw the figure".

    Raises:
        NoBrowserError: there is none, or it does not run.
        ExportError: it failed.
    """
    from choreographer.errors import (  # slow to import, and only needed here
        BrowserClosedError,
        BrowserFailedError,
        ChromeNotFoundError,
    )

    for name in ("kaleido", "choreographer"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    except ExportError:
        raise
    except ChromeNotFoundError:
        raise NoBrowserError(
            f"{made} by a browser and none was found: install Chromium or Chrome, fetch one with "
            "kaleido_get_chrome, or name one with CHROMIUM=/path/to/chromium"
        ) from None
    except (BrowserFailedError, BrowserClosedError):
        raise NoBrowserError(
            f"the browser that was to {doing} does not run: name a Chromium or Chrome "
            "that does with CHROMIUM=/path/to/chromium"
        ) from None
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExportError(f"the browser failed to {doing}: {reason}") from error
