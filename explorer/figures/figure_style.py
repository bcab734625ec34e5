"""The style of saved figures: size, fonts and colours, for any view."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import get_colorscale

from explorer.figures.caption import captioned
from explorer.figures.style import DIVERGING, FONT, PALETTES, THEMES

GREYS = "greys"
UNITS = {"cm": 1.0, "inches": 2.54, "columns": 8.5}  # centimetres each
FONTS = {
    "sans": FONT,
    "Arial": "Arial, Helvetica, Liberation Sans, sans-serif",
    "Times": "Times New Roman, Times, Liberation Serif, serif",
    "monospace": "DejaVu Sans Mono, Menlo, Consolas, monospace",
}
WIDTHS_CM = (3.0, 100.0)
POINTS = (4.0, 32.0)
_BASE_POINTS = 9.0  # the views' font size of 12 pixels
_PIXELS_PER_CM = 96 / 2.54
# Shares of a figure's own width: below the first labels overlap, below the second they have no room.
_CROWDED, _LEAST = 0.55, 0.3
_NUMBER = re.compile(r"%\{\w+:(\+?)\.(\d)f\}")  # the template of a cell's number
_DIGIT = 0.6  # width of a digit, relative to the font size


@dataclass(frozen=True)
class FigureStyle:
    """The style of a saved figure, as the user chooses it."""

    theme: str = "light"  # "light" or "dark"
    palette: str = ""  # one of ``PALETTES`` ("greys" for all colours), or empty for the view's own
    width: float = 0.0  # of the whole figure in ``unit``; 0 for the width that its labels need
    unit: str = "cm"  # "cm", "inches" or "columns" of 8.5 cm, as in journals of two columns
    font: str = "sans"  # one of ``FONTS``
    points: float = _BASE_POINTS  # size of most text; headings are larger and ticks smaller, in proportion
    title: bool = True
    caption: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown theme, palette, unit or font, or a size out of range."""
        for what, value, known in (
            ("theme", self.theme, THEMES),
            ("palette", self.palette, ["", *PALETTES]),
            ("unit", self.unit, UNITS),
            ("font", self.font, FONTS),
        ):
            if value not in known:
                names = ", ".join(name for name in known if name)
                raise ValueError(f"unknown {what} '{value}': use {names}")
        low, high = WIDTHS_CM
        if self.width and not low <= self.width_cm <= high:
            raise ValueError(f"a width of {self.width:g} {self.unit} is out of range: use {low:g} to {high:g} cm")
        if not POINTS[0] <= self.points <= POINTS[1]:
            raise ValueError(
                f"a font size of {self.points:g} points is out of range: use {POINTS[0]:g} to {POINTS[1]:g}"
            )

    @property
    def width_cm(self) -> float:
        """The width in centimetres; 0 for the figure's own."""
        return self.width * UNITS[self.unit]


@dataclass(frozen=True)
class SizedFigure:
    """A view's figure for a file, at the size that its labels need, in pixels.

    ``below`` is the height of the labels under the lowest axis, above the caption. A ``fixed``
    height, as of rows of text, does not change with the width.
    """

    figure: go.Figure
    caption: str
    width: int
    height: int
    below: int = 0
    fixed: bool = False


Draw = Callable[[FigureStyle], SizedFigure]


@dataclass(frozen=True)
class StyledFigure:
    """A figure for a file, whose size on paper is ``scale`` times its own pixels."""

    figure: go.Figure
    scale: float
    remarks: tuple[str, ...]

    @property
    def size_cm(self) -> tuple[float, float]:
        """Width and height on paper."""
        layout, per_cm = self.figure.layout, _PIXELS_PER_CM / self.scale
        return layout.width / per_cm, layout.height / per_cm


def styled(sized: SizedFigure, style: FigureStyle) -> StyledFigure:
    """Apply a style to a figure: size, font, colours, title and caption; changes ``sized.figure``.

    The figure is laid out at its usual font size and scaled as a whole, lines and markers included.

    Raises:
        ValueError: too narrow for the figure's labels.
    """
    figure, remarks = sized.figure, list[str]()
    scale = style.points / _BASE_POINTS
    width = round(style.width_cm * _PIXELS_PER_CM / scale) or sized.width
    height = sized.height if sized.fixed else round(sized.height * width / sized.width)
    if width < sized.width * _LEAST:
        needed = sized.width * _LEAST * scale / _PIXELS_PER_CM
        raise ValueError(
            f"a width of {style.width_cm:g} cm is too narrow for this figure’s labels: use at "
            f"least {needed:.1f} cm, or a smaller font"
        )
    if width < sized.width * _CROWDED:
        needed = sized.width * _CROWDED * scale / _PIXELS_PER_CM
        smaller = style.points * width / (sized.width * _CROWDED)
        remarks.append(f"labels may overlap at this width: use {needed:.0f} cm, or a font of {smaller:.1f} points")
    if not style.title:
        figure.update_layout(title=None)
    if style.caption:
        captioned(figure, sized.caption, width, height, sized.below)
    else:
        figure.update_layout(width=width, height=height)
    if width < sized.width and (needed := _remove_crowded_numbers(figure)):
        centimetres = (needed + 1) * scale / _PIXELS_PER_CM
        remarks.append(
            "the numbers in the cells are left out, because they would overlap: use "
            f"{centimetres:.1f} cm, or a smaller font"
        )
    # Part by part: a whole figure writes its arrays as base64.
    parts = {"data": [trace.to_plotly_json() for trace in figure.data], "layout": figure.layout.to_plotly_json()}
    if style.font != "sans":
        family = FONTS[style.font]
        parts = _each_string(parts, lambda key, text: family if key == "family" and text == FONT else text)
    if style.palette:
        parts = _recoloured(parts, style.palette)
    if style.palette == GREYS:
        parts = _each_string(parts, _in_grey)
    return StyledFigure(go.Figure(parts), scale, tuple(remarks))


def _remove_crowded_numbers(figure: go.Figure) -> float:
    """Remove the numbers of cells too narrow for them; returns the width they need, 0 where all fit."""
    layout, needed = figure.layout, 0.0
    for cells in figure.data:
        number = _NUMBER.fullmatch(getattr(cells, "texttemplate", None) or "")
        if number is None:
            continue
        sign, places = number.groups()
        size = cells.textfont.size or layout.font.size or 12
        left, right = layout[f"xaxis{(cells.xaxis or 'x')[1:]}"].domain or (0, 1)
        available = layout.width - (layout.margin.l or 0) - (layout.margin.r or 0)
        columns = np.shape(cells.z)[1] / (right - left)
        required = (len(sign) + 2 + int(places)) * _DIGIT * size * columns
        if required > available:
            cells.texttemplate = None
            needed = max(needed, layout.width + required - available)
    return needed


def _each_string(part: Any, change: Callable[[str, str], str], key: str = "") -> Any:
    """The part with ``change`` applied to every string, with the key of the string or its list."""
    if isinstance(part, dict):
        return {name: _each_string(value, change, name) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_each_string(value, change, key) for value in part]
    if isinstance(part, np.ndarray) and part.dtype.kind in "OU":
        return [_each_string(value, change, key) for value in part.tolist()]
    return change(key, part) if isinstance(part, str) else part


def _recoloured(part: Any, palette: str, key: str = "") -> Any:
    """The part with every sequential scale in this palette; for greys, diverging ones as well."""
    if isinstance(part, dict):
        return {name: _recoloured(value, palette, name) for name, value in part.items()}
    if key == "colorscale":
        colours = _colours(part)
        if colours in _SEQUENTIAL:
            return PALETTES[palette]
        return [[0, "#ffffff"], [1, "#000000"]] if palette == GREYS and colours in _DIVERGING else part
    if isinstance(part, (list, tuple)):
        return [_recoloured(value, palette) for value in part]
    return part


def _colours(scale: Any) -> list[str]:
    """A scale's colours without their positions, whose digits may differ."""
    return [colour for _, colour in scale]


_SEQUENTIAL = [_colours(get_colorscale(name)) for name in PALETTES.values()]
_DIVERGING = [_colours(scale) for scale in DIVERGING.values()]
_COLOUR = re.compile(r"#(?P<hex>[0-9a-fA-F]{6})|rgb\((?P<red>\d+), ?(?P<green>\d+), ?(?P<blue>\d+)\)")


_MARKED = re.compile(r'(<span style="color:)(#[0-9a-fA-F]{6})')
_COLOURED = ("color", "colorscale", "colorway")  # endings of keys with colours


def _in_grey(key: str, text: str) -> str:
    """A colour in grey, or a label with its coloured marks in grey; the key says which."""
    if key.endswith(_COLOURED):
        return _grey(text)
    return _MARKED.sub(lambda mark: mark[1] + _grey(mark[2]), text)


def _grey(text: str) -> str:
    """The grey of a colour's lightness (Rec. 709); any other text unchanged."""
    found = _COLOUR.fullmatch(text)
    if found is None:
        return text
    if found["hex"]:
        parts = [int(found["hex"][place : place + 2], 16) for place in (0, 2, 4)]
    else:
        parts = [int(found[name]) for name in ("red", "green", "blue")]
    light = round(sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True)))
    return f"#{light:02x}{light:02x}{light:02x}"
