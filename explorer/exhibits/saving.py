"""A view to a file of any format, with the record of what made it inside."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from explorer.exhibits.exhibit import Exhibit
from explorer.export.arrays import arrays_of
from explorer.export.carriers import (
    csv_head,
    html_part,
    in_pdf,
    in_png,
    in_svg,
    npz_bytes,
)
from explorer.export.formats import to_json
from explorer.export.pictures import Draw, figure_bytes
from explorer.export.record import Record, record_of
from explorer.figures.look import Dressed, Look, dressed
from explorer.figures.vector import raster_parts, vectorised
from explorer.session import Session

DRAWINGS = ("png", "svg", "pdf", "html")
NUMBERS = ("csv", "json", "npz")
FORMATS = (*DRAWINGS, *NUMBERS)
PLAIN = Look()


@dataclass(frozen=True)
class Saving:
    """How a view is to be saved.

    Attributes:
        figure: which of its figures; empty: the first.
        look: how the figure looks.
        dots: of a PNG, dots a pixel of 1/96 inch: 1 to 4.
    """

    figure: str = ""
    look: Look = PLAIN
    dots: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a size that is none.

        Raises:
            ValueError: dots out of range.
        """
        if not 1 <= self.dots <= 4:
            raise ValueError(f"{self.dots:g} dots a pixel are out of range: use 1 to 4")


def figure_of(exhibit: Exhibit, saving: Saving) -> Dressed:
    """The chosen figure of a view, dressed.

    Raises:
        ValueError: the view has no such figure.
    """
    name = saving.figure or next(iter(exhibit.figures))
    if name not in exhibit.figures:
        raise ValueError(f"{exhibit.kind} has no figure '{name}': use {', '.join(exhibit.figures)}")
    return dressed(exhibit.figures[name](saving.look), saving.look)


def file_name(exhibit: Exhibit, kind: str, saving: Saving) -> str:
    """What a file is called: the view, of a further figure its name, and the ending."""
    first = next(iter(exhibit.figures))
    further = f"-{saving.figure}" if saving.figure not in ("", first) else ""
    return f"{exhibit.stem}{further}.{kind}".replace(" ", "-")


def record(session: Session, exhibit: Exhibit, kind: str, saving: Saving) -> Record:
    """What a file of this format tells of itself."""
    drawn = kind in DRAWINGS
    return record_of(
        exhibit.kind,
        exhibit.link,
        exhibit.state,
        session.provenance(str(exhibit.state["model"])),
        (saving.figure or next(iter(exhibit.figures))) if drawn else "",
        saving.look if drawn else None,
    )


def saved(
    session: Session,
    exhibit: Exhibit,
    kind: str,
    saving: Saving | None = None,
    draw: Draw = figure_bytes,
) -> bytes:
    """A file's content.

    Args:
        session: knows the model.
        exhibit: the view.
        kind: one of ``FORMATS``.
        saving: how it is to look.
        draw: what draws a figure without a page; ``painter`` gives one for many figures.

    Raises:
        ValueError: another format, or no such figure.
        ExportError: there is no browser that draws, or it failed.
    """
    saving = saving or Saving()
    made = _MAKERS.get(kind)
    if made is None:
        raise ValueError(f"{kind} is no format to save in: use {', '.join(FORMATS)}")
    return made(exhibit, saving, record(session, exhibit, kind, saving), draw)


def _png(exhibit: Exhibit, saving: Saving, told: Record, draw: Draw) -> bytes:
    shown = figure_of(exhibit, saving)
    return in_png(draw(shown.figure, "png", saving.dots * shown.scale), told)


def _svg(exhibit: Exhibit, saving: Saving, told: Record, draw: Draw) -> bytes:
    shown = figure_of(exhibit, saving)
    drawn = draw(vectorised(shown.figure), "svg").decode()
    return in_svg(sized(drawn, shown), told).encode()


def _pdf(exhibit: Exhibit, saving: Saving, told: Record, draw: Draw) -> bytes:
    shown = figure_of(exhibit, saving)
    return in_pdf(draw(vectorised(shown.figure), "pdf"), told, shown.scale)


def _html(exhibit: Exhibit, saving: Saving, told: Record, _draw: Draw) -> bytes:
    return page_of(figure_of(exhibit, saving).figure, exhibit, told).encode()


def _csv(exhibit: Exhibit, _saving: Saving, told: Record, _draw: Draw) -> bytes:
    return exhibit.table().headed(csv_head(told)).csv().encode()


def _json(exhibit: Exhibit, _saving: Saving, told: Record, _draw: Draw) -> bytes:
    return to_json(result_of(exhibit, told)).encode()


def _npz(exhibit: Exhibit, _saving: Saving, told: Record, _draw: Draw) -> bytes:
    return npz_bytes(arrays_of(exhibit.result()), told)


_MAKERS: dict[str, Callable[[Exhibit, Saving, Record, Draw], bytes]] = {
    "png": _png, "svg": _svg, "pdf": _pdf, "html": _html, "csv": _csv, "json": _json, "npz": _npz,
}  # fmt: skip


def result_of(exhibit: Exhibit, told: Record) -> dict[str, Any]:
    """A view's numbers with the record of what made them."""
    return {**exhibit.result(), "provenance": told}


_SIZES = re.compile(r'(<svg\b[^>]*?) width="[\d.]+" height="[\d.]+"')


def sized(drawn: str, shown: Dressed) -> str:
    """A drawing with its size on paper; what is in it is scaled with it."""
    width, height = shown.size_cm
    return _SIZES.sub(rf'\1 width="{width:.4f}cm" height="{height:.4f}cm"', drawn, count=1)


def remarks_of(shown: Dressed) -> list[str]:
    """What a person must know of a figure before it is saved as a drawing."""
    parts = raster_parts(shown.figure)
    kept = f"in SVG and PDF {' and '.join(parts)} stays a picture of dots; its labels are text"
    return [*shown.remarks, *([kept] if parts else [])]


def page_of(figure: go.Figure, exhibit: Exhibit, told: Record) -> str:
    """A page of its own, which needs no network: the figure to hover and zoom, and what made it."""
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=True, include_mathjax=False,
        config={"displaylogo": False}, default_width="100%",
    )  # fmt: skip
    lines = html.escape("\n".join([*told["python"], "", told["command"]]))
    background = figure.layout.paper_bgcolor
    ink = figure.layout.font.color
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(exhibit.stem)}</title>{html_part(told)}"
        f"<style>body{{background:{background};color:{ink};font:14px system-ui,sans-serif;"
        "margin:16px}details{margin-top:16px}pre{white-space:pre-wrap}</style></head>"
        f"<body>{drawn}<details><summary>How to make this again</summary>"
        f"<pre>{lines}</pre></details></body></html>\n"
    )
