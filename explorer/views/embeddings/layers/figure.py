"""A word's measures over the layers: a small panel each, its null as a band behind.

In the browser assets/embeddings-layers.js moves the line that marks the chosen layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.measures.by_layer import CONTEXT_MEASURES, SEPARATION
from explorer.analysis.measures.verdict import SIGNIFICANT, where_senses_separate
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.planes import framed_axis
from explorer.figures.style import SYMBOLS, Theme, base_layout, literal, model_label, sense_shape, theme_of, title
from explorer.records import FloatArray, WordLayers
from explorer.views.embeddings.layers.compute import LayerMeasures
from explorer.views.embeddings.page import WordSettings

COLUMNS = 3
PANEL_HEIGHT = 190  # pixels
_GAP = 0.07  # of the width, between two pictures
_ROOM = 66  # pixels between two of them, for the axis of one and the name of the next
_TOP = 84  # for title and legend
_WIDTH = 1000  # of a file
_BAND = 2  # standard deviations either way


def layers_figure(layers: WordLayers, theme: str = "light", layer: int | None = None) -> go.Figure:
    """Every measure over the layers, the chosen layer marked.

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    figure = go.Figure()
    panels = _panels(layers, colours)
    n_rows = -(-len(panels) // COLUMNS)
    layout: dict[str, Any] = {}
    for number, (name, traces) in enumerate(panels):
        suffix = str(number + 1) if number else ""
        row, column = divmod(number, COLUMNS)
        across, down = _place(column, COLUMNS, _GAP), _place(row, n_rows, _gap_down(n_rows))
        layout[f"xaxis{suffix}"] = _layer_axis(colours, len(layers.curves[SEPARATION].values), across, f"y{suffix}")
        layout[f"yaxis{suffix}"] = framed_axis(
            colours,
            "",
            domain=[1 - down[1], 1 - down[0]],
            anchor=f"x{suffix}",
            fixedrange=True,
            nticks=5,
            zeroline=True,
            zerolinecolor=colours.line,
        )
        for trace in traces:
            figure.add_trace(trace.update(xaxis=f"x{suffix}", yaxis=f"y{suffix}"))
        figure.add_annotation(
            text=f"<b>{literal(name)}</b>",
            xref=f"x{suffix} domain",
            yref=f"y{suffix} domain",
            x=0,
            y=1,
            yshift=4,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": colours.ink},
        )
        figure.add_shape(_mark(suffix, layer, colours))
    figure.update_layout(
        base_layout(
            colours,
            title=title(f"“{literal(layers.word)}” in {literal(model_label(layers.model))} · by layer"),
            showlegend=True,
            legend={
                "orientation": "h",
                "x": 0,
                "y": 1 - 30 / layers_height(layers),
                "yref": "container",
                "yanchor": "top",
                "itemclick": False,
                "itemdoubleclick": False,
                "font": {"size": 12, "color": colours.ink},
            },
            hovermode="x",
            margin={"l": 8, "r": 12, "t": _TOP, "b": _ROOM},
            **layout,
        )
    )
    return figure


def layers_height(layers: WordLayers) -> int:
    """Pixels that the figure needs."""
    count = len(layers.curves) + len(layers.anchors)
    return _TOP + (PANEL_HEIGHT + _ROOM) * -(-count // COLUMNS)


def layers_caption(layers: WordLayers) -> str:
    """What a reader could paste under the figure, after where the senses separate."""
    parts = [
        f"{layers.occurrences} vectors of “{layers.word}” in {model_label(layers.model)}, by "
        "layer; 0 is the input of the first block. Grey: the null, mean ± "
        f"{_BAND} standard deviations ({layers.draws} draws of random words, seed {layers.seed})."
    ]
    if (test := layers.test) is not None:
        which = "all of them" if test.exact else "random ones"
        parts.append(
            f"Separation: silhouette (cosine, full space) beside {test.assignments:,} ways to "
            f"permute the senses ({which}); filled points have p ≤ {SIGNIFICANT} after "
            "correction for all layers (largest separation over layers, Westfall & Young 1993)."
        )
    parts.append(
        "Self-similarity and intra-sentence similarity are minus anisotropy, MEV minus that of "
        "random words (Ethayarajh 2019)."
    )
    return " ".join(parts)


def layers_verdict(layers: WordLayers) -> str:
    """Where the senses separate, as a sentence."""
    return f"By sense: {where_senses_separate(layers)}."


def _panels(layers: WordLayers, colours: Theme) -> list[tuple[str, list[go.Scatter]]]:
    """Name and traces of each panel."""
    panels: list[tuple[str, list[go.Scatter]]] = []
    for name, curve in layers.curves.items():
        p = layers.test.p_corrected if layers.test and name == SEPARATION else None
        panels.append(
            (
                CONTEXT_MEASURES[name].title,
                [
                    *_band(curve.null_mean, curve.null_std, colours, legend=not panels),
                    _line(
                        curve.values,
                        colours.ink,
                        "circle",
                        hover=_hover(curve.null_mean, curve.null_std, p),
                        filled=None if p is None else p <= SIGNIFICANT,
                    ),
                ],
            )
        )
    for number, (word, anchor) in enumerate(layers.anchors.items()):
        traces = [
            _line(
                values,
                colours.senses[i % len(colours.senses)],
                SYMBOLS[sense_shape(i)],
                hover=_hover(anchor.null_mean, anchor.null_std),
                name=sense or "no sense given",
                legend=not number,
            )
            for i, (sense, values) in enumerate(anchor.by_sense.items())
        ]
        band = _band(anchor.null_mean, anchor.null_std, colours)
        panels.append((f"Similarity to “{word}”", [*band, *traces]))
    return panels


def _place(number: int, count: int, gap: float) -> tuple[float, float]:
    """Where one of ``count`` pictures begins and ends, in shares of the whole."""
    size = (1 - gap * (count - 1)) / count
    return number * (size + gap), number * (size + gap) + size


def _gap_down(n_rows: int) -> float:
    return _ROOM / ((PANEL_HEIGHT + _ROOM) * n_rows - _ROOM)


def _layer_axis(colours: Theme, n_layers: int, domain: tuple[float, float], anchor: str) -> Mapping[str, Any]:
    step = -(-n_layers // 8)
    return framed_axis(
        colours,
        "layer",
        domain=domain,
        anchor=anchor,
        range=[-0.5, n_layers - 0.5],
        fixedrange=True,
        tickvals=list(range(0, n_layers, step)),
    )


def _mark(suffix: str, layer: int | None, colours: Theme) -> dict[str, Any]:
    """The line at the chosen layer."""
    place = -1 if layer is None else layer
    return {
        "type": "line",
        "xref": f"x{suffix}",
        "yref": f"y{suffix} domain",
        "x0": place,
        "x1": place,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "visible": layer is not None,
        "line": {"color": colours.faint, "width": 1, "dash": "dot"},
    }


def _band(mean: FloatArray, std: FloatArray, colours: Theme, legend: bool = False) -> list[go.Scatter]:
    """Chance: a band around its mean, over the layers that have one."""
    where = np.flatnonzero(~np.isnan(mean))
    low, high = (mean + sign * _BAND * std for sign in (-1, 1))
    outline = {"x": np.concatenate([where, where[::-1]]), "y": np.concatenate([high[where], low[where][::-1]])}
    return [
        go.Scatter(
            **outline,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=colours.line,
            hoverinfo="skip",
            name="what chance gives, ± 2 standard deviations",
            showlegend=legend,
        ),
        go.Scatter(
            x=where,
            y=mean[where],
            mode="lines",
            line={"width": 1, "color": colours.faint},
            hoverinfo="skip",
            showlegend=False,
        ),
    ]


def _line(
    values: FloatArray,
    colour: str,
    symbol: str,
    hover: list[str],
    name: str = "",
    legend: bool = False,
    filled: np.ndarray | None = None,
) -> go.Scatter:
    symbols = symbol if filled is None else [symbol if yes else f"{symbol}-open" for yes in filled]
    prefix = f"{literal(name)} " if name else ""
    return go.Scatter(
        x=np.arange(len(values)),
        y=values,
        mode="lines+markers",
        name=literal(name),
        showlegend=legend,
        line={"width": 2, "color": colour},
        marker={"size": 7 if len(values) < 20 else 5, "symbol": symbols, "color": colour},
        customdata=hover,
        cliponaxis=False,
        hovertemplate=f"layer %{{x}} · {prefix}%{{y:.3f}}<br>%{{customdata}}<extra></extra>",
    )


def _hover(mean: FloatArray, std: FloatArray, p: FloatArray | None = None) -> list[str]:
    """The hover text of each value: chance, and p where there is a test."""
    lines = [
        "no chance to compare with" if np.isnan(a) else f"chance {a:.3f} ± {b:.3f}"
        for a, b in zip(mean, std, strict=True)
    ]
    if p is None:
        return lines
    return [
        line if np.isnan(one) else f"{line}<br>p = {one:.2g}, corrected for all layers"
        for line, one in zip(lines, p, strict=True)
    ]


def _layers(record: LayerMeasures, settings: WordSettings, style: FigureStyle) -> SizedFigure:
    """The measures, with where the senses separate."""
    layers = record.layers
    caption = f"{layers_verdict(layers)} {layers_caption(layers)}"
    figure, height = layers_figure(layers, style.theme, settings.layer), layers_height(layers) - _ROOM
    return SizedFigure(figure, caption, _WIDTH, height, _ROOM - 20, fixed=True)


FIGURES = {"layers": _layers}
