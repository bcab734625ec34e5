"""Figures drawn without a page: PNG and SVG."""

from __future__ import annotations

import logging
import os
import shutil
from typing import Any

import plotly.graph_objects as go

from explorer.export.files import ExportError


def figure_bytes(figure: go.Figure, kind: str) -> bytes:
    """A figure as "png" (twice its size, for print) or "svg", drawn by a browser.

    The browser is the one the environment variable ``CHROMIUM`` names, or else the one
    kaleido finds. Nothing is fetched from a network.

    Raises:
        ExportError: there is no browser, or it failed.
    """
    import kaleido  # slow to import, and only needed here
    from kaleido.errors import BrowserClosedError, BrowserFailedError, ChromeNotFoundError

    for name in ("kaleido", "choreographer"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    options: dict[str, Any] = {"mathjax": False}
    if (path := _browser()) is not None:
        options["path"] = path
    size = {
        "width": figure.layout.width, "height": figure.layout.height,
        "scale": 2 if kind == "png" else 1,
    }  # fmt: skip
    try:
        drawn: bytes = kaleido.calc_fig_sync(figure, opts={"format": kind, **size}, kopts=options)
    except ChromeNotFoundError:
        raise ExportError(
            f"a {kind.upper()} is drawn by a browser and none was found: install Chromium or "
            "Chrome, or name one with CHROMIUM=/path/to/chromium"
        ) from None
    except (BrowserFailedError, BrowserClosedError):
        raise ExportError(
            "the browser that was to draw the figure does not run: name a Chromium or Chrome "
            "that does with CHROMIUM=/path/to/chromium"
        ) from None
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExportError(f"the browser failed to draw the figure: {reason}") from error
    return drawn


def _browser() -> str | None:
    """The browser the user named; None leaves the search to kaleido."""
    named = os.environ.get("CHROMIUM")
    if not named:
        return None
    path = shutil.which(named)
    if path is None:
        raise ExportError(
            f"CHROMIUM={named} is no program: name a Chromium or Chrome that runs, or unset it"
        )
    return path
