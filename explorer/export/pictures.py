"""Figures drawn without a page: PNG and SVG."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from explorer.export.browser import named_browser, saying_what_failed


def figure_bytes(figure: go.Figure, kind: str) -> bytes:
    """A figure as "png" (twice its size, for print) or "svg", drawn by a browser.

    The browser is the one the environment variable ``CHROMIUM`` names, or else the one
    kaleido finds. Nothing is fetched from a network.

    Raises:
        ExportError: there is no browser, or it failed.
    """
    import kaleido  # slow to import, and only needed here

    options: dict[str, Any] = {"mathjax": False}
    if (path := named_browser()) is not None:
        options["path"] = path
    size = {
        "width": figure.layout.width, "height": figure.layout.height,
        "scale": 2 if kind == "png" else 1,
    }  # fmt: skip
    with saying_what_failed(f"a {kind.upper()} is drawn", "draw the figure"):
        drawn: bytes = kaleido.calc_fig_sync(figure, opts={"format": kind, **size}, kopts=options)
    return drawn
