"""How a saved figure looks: its size, letters and colours, whatever the view it is of."""

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
_DRAWN_POINTS = 9.0  # figures are drawn with letters of 12 pixels, 9 points
_PIXELS_PER_CM = 96 / 2.54
# Of a figure's own width: below the first labels meet, below the second nothing has room.
_CROWDED, _LEAST = 0.55, 0.3
_NUMBER = re.compile(r"%\{\w+:(\+?)\.(\d)f\}")  # how a cell's number is written
_DIGIT = 0.6  # of the letters' size


@dataclass(frozen=True)
class FigureStyle:
    """What a person chooses of a figure's looks."""

    theme: str = "light"  # "light" or "dark"
    # Of a sequential scale: "viridis", "cividis" or "greys", which makes all else grey as well; empty: as the view has
    # it.
    palette: str = ""
    width: float = 0.0  # of the whole figure in ``unit``; 0: as its labels need
    unit: str = "cm"  # "cm", "inches" or "columns" of 8.5 cm, as in journals of two
    font: str = "sans"  # one of ``FONTS``
    points: float = _DRAWN_POINTS  # the size of most letters; headings are larger, and ticks smaller, in proportion
    title: bool = True  # whether the heading is there
    caption: bool = True  # whether what the figure shows is written below

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises:
            ValueError: an unknown theme, palette, unit or font, or a size out of range.
        """
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
            raise ValueError(f"letters of {self.points:g} points are out of range: use {POINTS[0]:g} to {POINTS[1]:g}")

    @property
    def width_cm(self) -> float:
        """The width in centimetres; 0 where the figure has its own."""
        return self.width * UNITS[self.unit]


@dataclass(frozen=True)
class SizedFigure:
    """A view drawn for a file, at the size its labels need, in pixels.

    ``below`` is the room that labels under the lowest axis take, above the caption. What is
    ``fixed`` in height, as rows of text are, keeps it whatever the width.
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
    """A figure ready for a file: ``scale`` times its own pixels is its size on paper."""

    figure: go.Figure
    scale: float
    remarks: tuple[str, ...]

    @property
    def size_cm(self) -> tuple[float, float]:
        """Width and height on paper."""
        layout, per_cm = self.figure.layout, _PIXELS_PER_CM / self.scale
        return layout.width / per_cm, layout.height / per_cm


def styled(picture: SizedFigure, look: FigureStyle) -> StyledFigure:
    """Give a picture its size, letters, title and caption; its figure is changed in place.

    Raises:
        ValueError: too narrow for the figure's labels.

    Letters keep their size among all else, lines and marks as well, for the figure is laid out
    at its usual size of letters and scaled as a whole.
    """
    figure, remarks = picture.figure, list[str]()
    scale = look.points / _DRAWN_POINTS
    width = round(look.width_cm * _PIXELS_PER_CM / scale) or picture.width
    height = picture.height if picture.fixed else round(picture.height * width / picture.width)
    if width < picture.width * _LEAST:
        needed = picture.width * _LEAST * scale / _PIXELS_PER_CM
        raise ValueError(
            f"a width of {look.width_cm:g} cm leaves this figure’s labels no room: give it at "
            f"least {needed:.1f} cm, or smaller letters"
        )
    if width < picture.width * _CROWDED:
        needed = picture.width * _CROWDED * scale / _PIXELS_PER_CM
        smaller = look.points * width / (picture.width * _CROWDED)
        remarks.append(f"labels may meet at this width: give it {needed:.0f} cm, or letters of {smaller:.1f} points")
    if not look.title:
        figure.update_layout(title=None)
    if look.caption:
        captioned(figure, picture.caption, width, height, picture.below)
    else:
        figure.update_layout(width=width, height=height)
    if width < picture.width and (needed := _leave_out_crowded_numbers(figure)):
        centimetres = (needed + 1) * scale / _PIXELS_PER_CM
        remarks.append(
            "the numbers in the cells are left out, for they would meet: give it "
            f"{centimetres:.1f} cm, or smaller letters"
        )
    # Part by part: a whole figure writes its arrays as base64.
    drawn = {"data": [trace.to_plotly_json() for trace in figure.data], "layout": figure.layout.to_plotly_json()}
    if look.font != "sans":
        drawn = _each_string(drawn, lambda key, said: _in_font(key, said, FONTS[look.font]))
    if look.palette:
        drawn = _recoloured(drawn, look.palette)
    if look.palette == GREYS:
        drawn = _each_string(drawn, _in_grey)
    return StyledFigure(go.Figure(drawn), scale, tuple(remarks))


def _leave_out_crowded_numbers(figure: go.Figure) -> float:
    """Leave the numbers out of cells too narrow for them; the width they need, 0 where all fit."""
    layout, needed = figure.layout, 0.0
    for cells in figure.data:
        number = _NUMBER.fullmatch(getattr(cells, "texttemplate", None) or "")
        if number is None:
            continue
        sign, places = number.groups()
        size = cells.textfont.size or layout.font.size or 12
        wide = (len(sign) + 2 + int(places)) * _DIGIT * size
        left, right = layout[f"xaxis{(cells.xaxis or 'x')[1:]}"].domain or (0, 1)
        seen = layout.width - (layout.margin.l or 0) - (layout.margin.r or 0)
        columns = np.shape(cells.z)[1] / (right - left)
        if wide * columns > seen:
            cells.texttemplate = None
            needed = max(needed, layout.width + wide * columns - seen)
    return needed


def _each_string(part: Any, change: Callable[[str, str], str], key: str = "") -> Any:
    """The same with every string in it changed, by the key that it or its list is under."""
    if isinstance(part, dict):
        return {name: _each_string(value, change, name) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_each_string(value, change, key) for value in part]
    if isinstance(part, np.ndarray) and part.dtype.kind in "OU":
        return [_each_string(value, change, key) for value in part.tolist()]
    return change(key, part) if isinstance(part, str) else part


def _in_font(key: str, said: str, font: str) -> str:
    return font if key == "family" and said == FONT else said


def _recoloured(part: Any, palette: str, key: str = "") -> Any:
    """The same with every sequential scale in this palette; of greys, diverging ones as well."""
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
    """A scale's colours; where they stand is written in more digits or fewer."""
    return [colour for _, colour in scale]


_SEQUENTIAL = [_colours(get_colorscale(name)) for name in PALETTES.values()]
_DIVERGING = [_colours(scale) for scale in DIVERGING.values()]
_COLOUR = re.compile(r"#(?P<hex>[0-9a-fA-F]{6})|rgb\((?P<red>\d+), ?(?P<green>\d+), ?(?P<blue>\d+)\)")


_MARKED = re.compile(r'(<span style="color:)(#[0-9a-fA-F]{6})')
_COLOURED = ("color", "colorscale", "colorway")  # how the keys end that hold colours


def _in_grey(key: str, said: str) -> str:
    """A colour in grey, and a label's marks; a label that reads like a colour is none."""
    if key.endswith(_COLOURED):
        return _grey(said)
    return _MARKED.sub(lambda mark: mark[1] + _grey(mark[2]), said)


def _grey(said: str) -> str:
    """A colour by its lightness (Rec. 709); what names none as it is."""
    found = _COLOUR.fullmatch(said)
    if found is None:
        return said
    if found["hex"]:
        parts = [int(found["hex"][place : place + 2], 16) for place in (0, 2, 4)]
    else:
        parts = [int(found[name]) for name in ("red", "green", "blue")]
    light = round(sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True)))
    return f"#{light:02x}{light:02x}{light:02x}"
