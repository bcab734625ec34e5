"""Figures drawn without a page: PNG, SVG and PDF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import plotly.graph_objects as go

from explorer.saving.browser_session import BrowserSession

if TYPE_CHECKING:
    from kaleido import Kaleido

DRAWN = ("png", "svg", "pdf")


class Draw(Protocol):
    """What draws figures, all in one browser."""

    def __call__(self, figure: go.Figure, kind: str, scale: float = 2) -> bytes:
        """A figure as "png", "svg" or "pdf", as ``figure_bytes`` gives it."""


def figure_bytes(figure: go.Figure, kind: str, scale: float = 2) -> bytes:
    """A figure as "png", "svg" or "pdf", drawn by a browser.

    SVG and PDF hold lines and text, in the figure's size; a PDF is one page of that size. The
    browser is the one the environment variable ``CHROMIUM`` names, or else the one kaleido
    finds. Nothing is fetched from a network.

    Args:
        figure: with a width and a height in its layout, in pixels of 1/96 inch.
        kind: one of ``DRAWN``.
        scale: pixels of a PNG to one of the figure's.

    Raises:
        ValueError: another kind.
        ExportError: there is no browser, or it failed.
    """
    with renderer() as draw:
        return draw(figure, kind, scale)


@contextmanager
def renderer() -> Iterator[Draw]:
    """One browser for many figures: it starts with the first and ends with the context.

    Gives a function like ``figure_bytes``, which several threads may call.
    """
    kept = BrowserSession(_kaleido)

    def draw(figure: go.Figure, kind: str, scale: float = 2) -> bytes:
        if kind not in DRAWN:
            raise ValueError(f"a figure is not drawn as {kind!r}: use {', '.join(DRAWN)}")
        size = {"width": figure.layout.width, "height": figure.layout.height, "scale": scale if kind == "png" else 1}

        async def calc(browser: Kaleido) -> bytes:
            return bytes(await browser.calc_fig(figure, {"format": kind, **size}))

        return kept.do(calc, f"a {kind.upper()} is drawn", "draw the figure")

    try:
        yield draw
    finally:
        kept.close()


def _kaleido(path: str | None) -> Kaleido:
    from kaleido import Kaleido  # slow to import, and only needed here

    named: dict[str, Any] = {} if path is None else {"path": path}
    return Kaleido(mathjax=False, **named)
