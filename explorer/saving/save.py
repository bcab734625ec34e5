"""A view to a file of any format, with the record of what made it inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from explorer.figures.figure_style import FigureStyle, StyledFigure, styled
from explorer.figures.templates import render
from explorer.figures.vector import raster_parts, vectorised
from explorer.saving.arrays import arrays_of
from explorer.saving.files import DRAWINGS, FORMATS
from explorer.saving.formats import to_json
from explorer.saving.metadata import csv_head, html_part, in_pdf, in_png, in_svg, npz_bytes
from explorer.saving.provenance import Provenance, chosen_of, provenance_of
from explorer.saving.rendering import Draw, figure_bytes
from explorer.session.session import Session
from explorer.views.registry import link_to_view
from explorer.views.spec import ComputedView

PLAIN = FigureStyle()


@dataclass(frozen=True)
class Saving:
    """How a view is to be saved.

    Attributes:
        figure: which of its figures; empty: the first.
        look: how the figure looks.
        dots: of a PNG, dots a pixel of 1/96 inch: 1 to 4.
    """

    figure: str = ""
    look: FigureStyle = PLAIN
    dots: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a size that is none.

        Raises:
            ValueError: dots out of range.
        """
        if not 1 <= self.dots <= 4:
            raise ValueError(f"{self.dots:g} dots a pixel are out of range: use 1 to 4")


def figure_of(view: ComputedView, saving: Saving) -> StyledFigure:
    """The chosen figure of a view, in its style.

    Raises:
        ValueError: the view has no such figure.
    """
    return styled(view.figure(saving.figure, saving.look), saving.look)


def file_name(view: ComputedView, kind: str, saving: Saving) -> str:
    """What a file is called: the view, of a further figure's drawing its name, and the ending.

    Numbers are those of the whole view, whichever figure is chosen. A word with a slash is no
    folder.
    """
    chief = saving.figure in ("", view.spec.figures[0]) or kind not in DRAWINGS
    further = "" if chief else f"-{saving.figure}"
    return re.sub(r"[\s/\\]+", "-", f"{view.stem}{further}.{kind}")


def record(session: Session, view: ComputedView, kind: str, saving: Saving | None = None) -> Provenance:
    """What a file of this format tells of itself; without ``saving`` nothing is drawn."""
    drawn = None
    if saving is not None and kind in DRAWINGS:
        figure = saving.figure or view.spec.figures[0]
        dots = {"dots": saving.dots} if kind == "png" else {}
        drawn = {"figure": figure, **chosen_of(saving.look), **dots}
    model: dict[str, Any] = {**session.provenance(view.settings.model)}
    if other := view.other_model:
        model["other"] = {"model": other, **session.provenance(other)}
    link = link_to_view(view.spec, view.settings)
    return provenance_of(view.spec.name, link, view.settings.as_dict(), model, kind, drawn)


def saved(
    session: Session,
    view: ComputedView,
    kind: str,
    saving: Saving | None = None,
    draw: Draw = figure_bytes,
    script: str = "",
    tell: Callable[[str], None] | None = None,
) -> bytes:
    """A file's content.

    Args:
        session: knows the model.
        view: the view.
        kind: one of ``FORMATS``.
        saving: how it is to look.
        draw: what draws a figure without a page; ``renderer`` gives one for many figures.
        script: where a page finds plotly.js beside it; empty: the page holds it.
        tell: given what a person must know of a PNG, SVG or PDF, a line each.

    Raises:
        ValueError: another format, or no such figure.
        ExportError: there is no browser that draws, or it failed.
    """
    saving = saving or Saving()
    if kind not in FORMATS:
        raise ValueError(f"{kind} is no format to save in: use {', '.join(FORMATS)}")
    told = record(session, view, kind, saving)
    if kind == "html":
        return page_of(figure_of(view, saving).figure, view, told, script).encode()
    if kind in DRAWINGS:
        shown = figure_of(view, saving)
        if tell is not None:
            for remark in remarks_of(shown, kind):
                tell(remark)
        return _drawing(shown, kind, told, draw, saving.dots)
    return _NUMBERS[kind](view, told)


def _drawing(shown: StyledFigure, kind: str, told: Provenance, draw: Draw, dots: float) -> bytes:
    if kind == "png":
        return picture_file(draw(shown.figure, kind, dots * shown.scale), kind, told, shown.size_cm, dots)
    drawn = draw(vectorised(shown.figure), kind)
    if kind == "pdf":
        return in_pdf(drawn, told, shown.scale)
    return picture_file(drawn, kind, told, shown.size_cm)


def picture_file(drawn: bytes, kind: str, told: Provenance, size_cm: tuple[float, float], dots: float = 1.0) -> bytes:
    """A PNG or SVG as a browser draws it, with its size on paper and its record."""
    if kind == "png":
        return in_png(drawn, told, dots)
    return in_svg(_sized(drawn.decode(), size_cm), told).encode()


_NUMBERS: dict[str, Callable[[ComputedView, Provenance], bytes]] = {
    "csv": lambda view, told: view.table().headed(csv_head(told)).csv().encode(),
    "json": lambda view, told: to_json(result_of(view, told)).encode(),
    "npz": lambda view, told: npz_bytes(arrays_of(view.result()), told),
}


def result_of(view: ComputedView, told: Provenance) -> dict[str, Any]:
    """A view's numbers with the record of what made them."""
    return {**view.result(), "provenance": told}


_SIZES = re.compile(r'(<svg\b[^>]*?) width="[\d.]+" height="[\d.]+"')


def _sized(drawn: str, size_cm: tuple[float, float]) -> str:
    """A drawing with its size on paper; what is in it is scaled with it."""
    width, height = size_cm
    return _SIZES.sub(rf'\1 width="{width:.4f}cm" height="{height:.4f}cm"', drawn, count=1)


def remarks_of(shown: StyledFigure, kind: str = "") -> list[str]:
    """What a person must know of a figure that is saved as a drawing of this kind, or of any."""
    parts = [] if kind == "png" else raster_parts(shown.figure)
    kept = f"dots in SVG and PDF, as in a PNG: {' and '.join(parts)}; labels are text"
    return [*shown.remarks, *([kept] if parts else [])]


def page_of(figure: go.Figure, view: ComputedView, told: Provenance, script: str = "") -> str:
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
        title=view.stem,
        record=html_part(told),
        background=layout.paper_bgcolor,
        ink=layout.font.color,
        figure=drawn,
        lines=[*told["python"], "", told["command"]],
    )
