"""All heads of all layers as one picture: layers down, heads across."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

from explorer.figures.caption import cut, of_text
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import SEQUENTIAL, Theme, axis, base_layout, literal, scale_of, theme_of, title
from explorer.records import AllHeads, HeadNumbers, HeadsOverview
from explorer.views.heads.figure_parts import colour_bar, model_and_stack
from explorer.views.heads.overview import OverviewSettings

_GAP = 3  # pixels between the small maps

_CELL = 52  # pixels a head, in a file


def overview_figure(
    overview: HeadsOverview, theme: str = "light", facts: list[list[str]] | None = None, palette: str = SEQUENTIAL
) -> go.Figure:
    """The figure of all heads, one clickable cell a head (x is the head, y the layer).

    ``facts`` [L][H] are shown on hover.

    Raises:
        ValueError: an unknown theme or palette.
    """
    colours = theme_of(theme)
    n_layers, n_heads = overview.tiles.shape[:2]
    transparent = "rgba(0,0,0,0)"
    cells = go.Heatmap(
        z=np.zeros((n_layers, n_heads)),
        colorscale=[[0, transparent], [1, transparent]],
        showscale=False,
        text=facts,
        hovertemplate=f"layer %{{y}} · head %{{x}}{'' if facts is None else '<br>%{text}'}<extra></extra>",
    )
    picture = {
        "source": _picture(overview, colours, palette),
        "xref": "x",
        "yref": "y",
        "x": -0.5,
        "y": -0.5,
        "sizex": n_heads,
        "sizey": n_layers,
        "sizing": "stretch",
        "layer": "below",
    }
    return _grid(cells, (n_layers, n_heads), colours, images=[picture])


def overview_caption(overview: HeadsOverview) -> str:
    """How to read the small maps."""
    scale = "Colours: square root of weight ÷ the head’s largest."
    if max(overview.whole) <= overview.tiles.shape[-1]:
        return scale
    queries, keys = overview.whole
    return f"{scale} Of {queries:,} × {keys:,} tokens, each dot shows a block’s largest."


def measure_figure(numbers: HeadNumbers, theme: str = "light", palette: str = SEQUENTIAL) -> go.Figure:
    """The same grid with a number a head, coloured; blank if it is undefined.

    Raises:
        ValueError: an unknown theme or palette.
    """
    colours = theme_of(theme)
    cells = go.Heatmap(
        z=numbers.values,
        colorscale=scale_of(palette),
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate=f"layer %{{y}} · head %{{x}}<br>{numbers.name} %{{z:.4g}}<extra></extra>",
        colorbar=colour_bar(numbers.unit, colours),
    )
    return _grid(cells, numbers.values.shape, colours)


def numbers_caption(numbers: HeadNumbers, of: str) -> str:
    """The caption of the grid of numbers of a model and stack."""
    unit = f" ({numbers.unit})" if numbers.unit else ""
    blank = " Blank: undefined." if np.isnan(numbers.values).any() else ""
    return f"{numbers.name}{unit} of every head of {of}: layers down, heads across.{blank}"


def _grid(
    cells: go.Heatmap, shape: tuple[int, ...], colours: Theme, images: list[dict[str, object]] | None = None
) -> go.Figure:
    """Layers down, heads across; every cell has the same size."""
    n_layers, n_heads = shape
    figure = go.Figure(cells)
    figure.update_layout(
        base_layout(
            colours,
            meta={"shape": [n_layers, n_heads]},
            xaxis=axis(
                colours,
                "head",
                range=[-0.5, n_heads - 0.5],
                tickvals=list(range(n_heads)),
                side="top",
                fixedrange=True,
                constrain="domain",
                showline=False,
            ),
            yaxis=axis(
                colours,
                "layer",
                range=[n_layers - 0.5, -0.5],
                tickvals=list(range(n_layers)),
                fixedrange=True,
                scaleanchor="x",
                constrain="domain",
                constraintoward="top",
                showline=False,
            ),
            images=images or [],
        )
    )
    return figure


def _picture(overview: HeadsOverview, colours: Theme, palette: str) -> str:
    """The small maps side by side as a data URL of a palette PNG."""
    n_layers, n_heads, tile, _ = overview.tiles.shape
    step = tile + _GAP
    # Index 255 of the palette is the paper between the maps.
    canvas = np.full((n_layers * step, n_heads * step), 255, dtype=np.uint8)
    levels = np.round(overview.tiles * 254).astype(np.uint8)
    for layer, head in np.ndindex(n_layers, n_heads):
        top, left = layer * step + _GAP // 2, head * step + _GAP // 2
        canvas[top : top + tile, left : left + tile] = levels[layer, head]
    image = Image.fromarray(canvas, mode="P")
    image.putpalette(_colours(palette, colours))
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _colours(palette: str, colours: Theme) -> list[int]:
    scale = sample_colorscale(get_colorscale(scale_of(palette)), np.linspace(0, 1, 255))
    levels = [round(channel) for colour in scale for channel in unlabel_rgb(colour)]
    paper = [int(colours.paper[i : i + 2], 16) for i in (1, 3, 5)]
    return levels + paper


def _sized_grid(record: AllHeads, settings: OverviewSettings, style: FigureStyle) -> SizedFigure:
    """The small maps or numbers with a caption, at a readable size."""
    name = model_and_stack(record)
    text = " ".join([of_text(record.source.text or "", record.source.pair), *cut(record.source.truncation)])
    palette = style.palette or settings.palette
    n_layers, n_heads = record.maps.tiles.shape[:2]
    if record.numbers is None:
        figure, what, room = overview_figure(record.maps, style.theme, palette=palette), "all heads", 80
        caption = (
            f"All heads of {name}, layers down: queries down and keys across in each. {overview_caption(record.maps)}"
        )
    else:
        numbers = replace(record.numbers, name=literal(record.numbers.name))
        figure, what, room = measure_figure(numbers, style.theme, palette=palette), numbers.name, 180
        caption = numbers_caption(record.numbers, name)
    figure.update_layout(title=title(f"{literal(name)} · {what}"))
    return SizedFigure(figure, f"{caption} {text}", _CELL * n_heads + room, _CELL * n_layers + 90)


FIGURES = {"grid": _sized_grid}
