"""A view to a file of any format, with the record of what made it inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from explorer.figures.look import Dressed, Look, Picture, dressed
from explorer.figures.vector import raster_parts, vectorised
from explorer.saving.arrays import arrays_of
from explorer.saving.files import DRAWINGS, FORMATS
from explorer.saving.formats import to_json
from explorer.saving.metadata import csv_head, html_part, in_pdf, in_png, in_svg, npz_bytes
from explorer.saving.provenance import Record, chosen_of, record_of
from explorer.saving.rendering import Draw, figure_bytes
from explorer.session.session import Session
from explorer.text.templates import render
from explorer.views.spec import Exhibit

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


def picture_of(exhibit: Exhibit, saving: Saving) -> Picture:
    """The chosen figure of a view, as large as its labels need.

    Raises:
        ValueError: the view has no such figure.
    """
    name = saving.figure or next(iter(exhibit.figures))
    if name not in exhibit.figures:
        raise ValueError(f"{exhibit.kind} has no figure '{name}': use {', '.join(exhibit.figures)}")
    return exhibit.figures[name](saving.look)


def figure_of(exhibit: Exhibit, saving: Saving) -> Dressed:
    """The chosen figure of a view, dressed.

    Raises:
        ValueError: the view has no such figure.
    """
    return dressed(picture_of(exhibit, saving), saving.look)


def file_name(exhibit: Exhibit, kind: str, saving: Saving) -> str:
    """What a file is called: the view, of a further figure's drawing its name, and the ending.

    Numbers are those of the whole view, whichever figure is chosen. A word with a slash is no
    folder.
    """
    chief = saving.figure in ("", next(iter(exhibit.figures))) or kind not in DRAWINGS
    further = "" if chief else f"-{saving.figure}"
    return re.sub(r"[\s/\\]+", "-", f"{exhibit.stem}{further}.{kind}")


def record(session: Session, exhibit: Exhibit, kind: str, saving: Saving | None = None) -> Record:
    """What a file of this format tells of itself; without ``saving`` nothing is drawn."""
    drawn = None
    if saving is not None and kind in DRAWINGS:
        figure = saving.figure or next(iter(exhibit.figures))
        dots = {"dots": saving.dots} if kind == "png" else {}
        drawn = {"figure": figure, **chosen_of(saving.look), **dots}
    model: dict[str, Any] = {**session.provenance(str(exhibit.state["model"]))}
    if other := exhibit.other():
        model["other"] = {"model": other, **session.provenance(other)}
    return record_of(exhibit.kind, exhibit.link, exhibit.state, model, kind, drawn)


def saved(
    session: Session,
    exhibit: Exhibit,
    kind: str,
    saving: Saving | None = None,
    draw: Draw = figure_bytes,
    script: str = "",
    tell: Callable[[str], None] | None = None,
) -> bytes:
    """A file's content.

    Args:
        session: knows the model.
        exhibit: the view.
        kind: one of ``FORMATS``.
        saving: how it is to look.
        draw: what draws a figure without a page; ``painter`` gives one for many figures.
        script: where a page finds plotly.js beside it; empty: the page holds it.
        tell: given what a person must know of a PNG, SVG or PDF, a line each.

    Raises:
        ValueError: another format, or no such figure.
        ExportError: there is no browser that draws, or it failed.
    """
    saving = saving or Saving()
    if kind not in FORMATS:
        raise ValueError(f"{kind} is no format to save in: use {', '.join(FORMATS)}")
    told = record(session, exhibit, kind, saving)
    if kind == "html":
        return page_of(figure_of(exhibit, saving).figure, exhibit, told, script).encode()
    if kind in DRAWINGS:
        shown = figure_of(exhibit, saving)
        if tell is not None:
            for remark in remarks_of(shown, kind):
                tell(remark)
        return _drawing(shown, kind, told, draw, saving.dots)
    return _NUMBERS[kind](exhibit, told)


def _drawing(shown: Dressed, kind: str, told: Record, draw: Draw, dots: float) -> bytes:
    if kind == "png":
        return picture_file(draw(shown.figure, kind, dots * shown.scale), kind, told, shown.size_cm, dots)
    drawn = draw(vectorised(shown.figure), kind)
    if kind == "pdf":
        return in_pdf(drawn, told, shown.scale)
    return picture_file(drawn, kind, told, shown.size_cm)


def picture_file(drawn: bytes, kind: str, told: Record, size_cm: tuple[float, float], dots: float = 1.0) -> bytes:
    """A PNG or SVG as a browser draws it, with its size on paper and its record."""
    if kind == "png":
        return in_png(drawn, told, dots)
    return in_svg(_sized(drawn.decode(), size_cm), told).encode()


_NUMBERS: dict[str, Callable[[Exhibit, Record], bytes]] = {
    "csv": lambda exhibit, told: exhibit.table().headed(csv_head(told)).csv().encode(),
    "json": lambda exhibit, told: to_json(result_of(exhibit, told)).encode(),
    "npz": lambda exhibit, told: npz_bytes(arrays_of(exhibit.result()), told),
}


def result_of(exhibit: Exhibit, told: Record) -> dict[str, Any]:
    """A view's numbers with the record of what made them."""
    return {**exhibit.result(), "provenance": told}


_SIZES = re.compile(r'(<svg\b[^>]*?) width="[\d.]+" height="[\d.]+"')


def _sized(drawn: str, size_cm: tuple[float, float]) -> str:
    """A drawing with its size on paper; what is in it is scaled with it."""
    width, height = size_cm
    return _SIZES.sub(rf'\1 width="{width:.4f}cm" height="{height:.4f}cm"', drawn, count=1)


def remarks_of(shown: Dressed, kind: str = "") -> list[str]:
    """What a person must know of a figure that is saved as a drawing of this kind, or of any."""
    parts = [] if kind == "png" else raster_parts(shown.figure)
    kept = f"dots in SVG and PDF, as in a PNG: {' and '.join(parts)}; labels are text"
    return [*shown.remarks, *([kept] if parts else [])]


def page_of(figure: go.Figure, exhibit: Exhibit, told: Record, script: str = "") -> str:
    """A page of its own, which needs no network: the figure to hover and zoom, and what made it."""
    drawn = figure.to_html(
        full_html=False,
        include_plotlyjs=script or True,
        include_mathjax=False,
        config={"displaylogo": False},
        default_width="100%",
    )
    layout = figure.layout
    return render(
        __file__,
        "page",
        title=exhibit.stem,
        record=html_part(told),
        background=layout.paper_bgcolor,
        ink=layout.font.color,
        figure=drawn,
        lines=[*told["python"], "", told["command"]],
    )
