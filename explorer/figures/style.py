"""Colours, fonts and sizes that every figure shares, for light and dark pages."""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass
from typing import Any

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'

# Okabe & Ito (2008): distinguishable with any colour vision.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
SYMBOLS = ("circle", "square", "triangle-up", "cross", "x", "triangle-down", "pentagon")
# Perceptually uniform and safe for colour-blind readers; greys (dark for large values) for print.
PALETTES = {"viridis": "Viridis", "cividis": "Cividis", "greys": "Greys"}
SEQUENTIAL = "viridis"
# The attention of each stack, in captions.
STACKS = {"encoder": "encoder self-attention", "decoder": "decoder self-attention", "cross": "cross attention"}

# Blue below 0 and red or orange above: distinguishable with any colour vision. The middle is close
# to the page's background, so that small differences recede.
DIVERGING = {
    "light": [[0, "#2166ac"], [0.25, "#92c5de"], [0.5, "#f4f4f4"], [0.75, "#f4a582"], [1, "#b2182b"]],
    "dark": [[0, "#7cc4ff"], [0.25, "#3a6a94"], [0.5, "#20262e"], [0.75, "#a85f30"], [1, "#ffa86b"]],
}


def scale_of(palette: str) -> str:
    """The colour scale of a sequential palette, as plotly names it.

    Raises:
        ValueError: an unknown palette.
    """
    if palette not in PALETTES:
        raise ValueError(f"unknown palette '{palette}': use {', '.join(PALETTES)}")
    return PALETTES[palette]


def sense_shape(number: int) -> int:
    """Index of the shape for the sense of this number: with seven colours, 49 senses differ."""
    return (number + number // len(SYMBOLS)) % len(SYMBOLS)


@dataclass(frozen=True)
class Theme:
    """The colours of a figure."""

    name: str
    paper: str
    ink: str
    faint: str
    line: str
    hatch: str
    accent: str
    senses: tuple[str, ...]


THEMES = {
    "light": Theme(
        name="light",
        paper="#ffffff",
        ink="#1d2530",
        faint="#5b6675",
        line="#d9dee5",
        hatch="#c3cad3",
        accent="#d9480f",
        senses=OKABE_ITO,
    ),
    "dark": Theme(
        name="dark",
        paper="#14181e",
        ink="#e6eaf0",
        faint="#9aa5b4",
        line="#333b46",
        hatch="#434d5a",
        accent="#ff8a4c",
        senses=("#56B4E9", "#E69F00", "#2FC49A", "#E49BC4", "#F0E442", "#6FA8FF", "#FF8A4C"),
    ),
}


def theme_of(name: str) -> Theme:
    """The theme by name.

    Raises:
        ValueError: neither "light" nor "dark".
    """
    if name not in THEMES:
        raise ValueError(f"unknown theme '{name}': use {' or '.join(THEMES)}")
    return THEMES[name]


def base_layout(theme: Theme, **more: Any) -> dict[str, Any]:
    """Layout settings of all figures."""
    return {
        "template": None,
        "paper_bgcolor": theme.paper,
        "plot_bgcolor": theme.paper,
        "font": {"family": FONT, "size": 12, "color": theme.ink},
        "hoverlabel": {
            "bgcolor": theme.paper,
            "bordercolor": theme.line,
            "font": {"family": FONT, "size": 13, "color": theme.ink},
            "align": "left",
        },
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        **more,
    }


def axis(theme: Theme, title: str, **more: Any) -> dict[str, Any]:
    """Settings of one axis."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": theme.faint}, "standoff": 8},
        "showgrid": False,
        "zeroline": False,
        "linecolor": theme.line,
        "tickcolor": theme.line,
        "tickfont": {"size": 11, "color": theme.ink},
        "automargin": True,
        **more,
    }


def model_label(name: str) -> str:
    """A model's name in titles: the last part of a folder's path, or the name itself."""
    return name if not name.startswith(("/", "~", ".")) else model_stem(name)


def model_stem(name: str) -> str:
    """A model's name in file names: the last part of a hub id or a folder."""
    return name.rstrip("/").rpartition("/")[2]


def literal(text: str) -> str:
    """Text escaped for plotly, which reads markup but not &quot;."""
    return html.escape(text, quote=False)


def width_of(text: str) -> int:
    """Width of a text in columns: two for a full-width character, none for a combining mark."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def title(text: str) -> dict[str, Any]:
    """A figure's title, on its own line above everything else."""
    return {
        "text": text,
        "font": {"size": 14},
        "x": 0.01,
        "xanchor": "left",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "pad": {"t": 6, "b": 4},
        "automargin": True,
    }


def blank_figure(message: str) -> dict[str, Any]:
    """A placeholder for a figure: a grey message on a transparent background, without axes."""
    note = {
        "text": message,
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "font": {"family": FONT, "size": 14, "color": "#7a8594"},
    }
    axes = {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    background = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    return {"data": [], "layout": {**axes, "annotations": [note], **background}}
