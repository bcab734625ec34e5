"""A word's static and contextual vectors in one plane, or in three dimensions.

``word_figure`` draws a layer. Its traces, in this order: paths, arrows, other tokens, anchors,
a trace a sense, the static vector; those that are not shown are not there.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.planes import framed_axis
from explorer.figures.style import SYMBOLS, Theme, base_layout, literal, model_label, sense_shape, theme_of, title
from explorer.records import PLAIN_PARTS, FloatArray, IntArray, Occurrence, PlaneParts, WordProjection, WordStudy

# The shapes that plotly has in three dimensions.
SYMBOLS_3D = ("circle", "square", "diamond", "cross", "x", "circle-open", "square-open")
MOST_NUMBERED = 40  # more occurrences than this have their number on hover only
_STATIC_TOGETHER = 1e-6
# Neighbours put their numbers on different sides, so that fewer collide.
_AROUND = ("top center", "bottom center", "middle right", "middle left")


def word_figure(
    study: WordStudy,
    shown: WordProjection,
    theme: str = "light",
    parts: PlaneParts = PLAIN_PARTS,
    planes: Sequence[WordProjection] = (),
) -> go.Figure:
    """Occurrences coloured and shaped by sense, numbered by sentence, with the static vector.

    ``shown`` is the layer drawn; ``planes`` are all layers in its basis, for the paths.
    """
    colours = theme_of(theme)
    senses = senses_of(study)
    traces: list[Any] = []
    if parts.paths and planes and shown.switches.basis != "layer":
        traces += [_path_trace(planes, rows, i, colours) for i, rows in enumerate(senses.values())]
    if parts.arrows:
        traces += [_arrow_trace(shown, rows, i, colours) for i, rows in enumerate(senses.values())]
    if parts.others and len(shown.others):
        traces.append(_others_trace(study, shown, colours))
    if parts.anchors and len(shown.anchors):
        traces.append(_anchor_trace(study, shown, colours))
    for number, (sense, rows) in enumerate(senses.items()):
        traces.append(_sense_trace(study, shown, rows, number, sense, colours))
    traces.append(_static_trace(study, shown, colours))
    return go.Figure(traces, _layout(study, shown, colours))


def senses_of(study: WordStudy) -> dict[str, list[int]]:
    """The senses in the order they come, each with the rows of its occurrences."""
    senses: dict[str, list[int]] = {}
    for row, occurrence in enumerate(study.occurrences):
        senses.setdefault(occurrence.sense, []).append(row)
    return senses


def static_rows(study: WordStudy) -> IntArray:
    """One row of each different static vector: those that coincide are one mark."""
    _, firsts = np.unique(np.round(study.static / _STATIC_TOGETHER), axis=0, return_index=True)
    return np.sort(firsts)


def arrow_points(static: FloatArray, points: FloatArray) -> FloatArray:
    """From each static vector to its occurrence, with a gap after each [3n, k]."""
    gaps = np.full_like(points, np.nan)
    return np.stack([static, points, gaps], axis=1).reshape(-1, points.shape[1])


def anchor_points(shown: WordProjection) -> FloatArray:
    """Anchor words at the layer, then their static vectors [2a, k]."""
    return np.concatenate([shown.anchors, shown.static_anchors])


def figure_title(study: WordStudy, layer: int) -> str:
    """Which word, model and layer a plane is of."""
    return f"“{literal(study.word)}” in {literal(model_label(study.model))} · layer {layer}"


def axis_titles(shown: WordProjection) -> list[str]:
    """What each axis is, with its share of the fit's variance."""
    if shown.switches.method == "tsne":
        return [f"t-SNE {number}" for number in range(1, shown.switches.axes + 1)]
    flat = shown.switches.axes == 2
    return [
        f"principal component {number} ({share:.1%} of the variance)" if flat else f"component {number} ({share:.1%})"
        for number, share in enumerate(shown.explained_variance, start=1)
    ]


def _layout(study: WordStudy, shown: WordProjection, colours: Theme) -> dict[str, Any]:
    titles = axis_titles(shown)
    if shown.switches.axes == 2:
        axes: dict[str, Any] = {
            "xaxis": framed_axis(colours, titles[0]),
            "yaxis": framed_axis(colours, titles[1], scaleanchor="x", scaleratio=1),
        }
    else:
        look = {
            "showbackground": False,
            "color": colours.faint,
            "gridcolor": colours.line,
            "zerolinecolor": colours.line,
            "showspikes": False,
        }
        scene = {
            f"{name}axis": {"title": {"text": text, "font": {"size": 11}}, **look}
            for name, text in zip("xyz", titles, strict=True)
        }
        axes = {"scene": {**scene, "aspectmode": "data", "uirevision": "camera"}}
    return base_layout(
        colours,
        title=title(figure_title(study, shown.layer)),
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.01,
            "yanchor": "bottom",
            "font": {"size": 13, "color": colours.ink},
            "itemsizing": "constant",
        },
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        **axes,
    )


def _trace(points: FloatArray, **more: Any) -> Any:
    """Points [m, 2] or [m, 3] as a trace of their kind."""
    if points.shape[1] == 2:
        return go.Scatter(x=points[:, 0], y=points[:, 1], cliponaxis=False, **more)
    return go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2], **more)


def _hover_of(points: FloatArray, text: str) -> str:
    axes = " · ".join(f"{name} %{{{name}:.3f}}" for name in "xyz"[: points.shape[1]])
    return f"{text}<br>{axes}<extra></extra>"


def _sense_trace(
    study: WordStudy, shown: WordProjection, rows: Sequence[int], number: int, sense: str, colours: Theme
) -> Any:
    points = shown.points[rows]
    flat = points.shape[1] == 2
    occurrences = [study.occurrences[i] for i in rows]
    numbered = len(study.occurrences) <= MOST_NUMBERED
    symbols = SYMBOLS if flat else SYMBOLS_3D
    return _trace(
        points,
        mode="markers+text" if numbered else "markers",
        name=literal(sense or "no sense given"),
        legendgroup=f"sense {number}",
        text=[str(o.sentence + 1) for o in occurrences],
        textposition=[_AROUND[i % len(_AROUND)] for i in rows],
        textfont={"size": 12, "color": colours.faint},
        marker={
            "size": (13 if flat else 7) if numbered else (9 if flat else 5),
            "color": colours.senses[number % len(colours.senses)],
            "symbol": symbols[sense_shape(number)],
            "line": {"width": 1, "color": colours.paper},
        },
        customdata=[_hover(o) for o in occurrences],
        hovertemplate=_hover_of(points, "%{customdata}"),
    )


def _static_trace(study: WordStudy, shown: WordProjection, colours: Theme) -> Any:
    points = shown.static[static_rows(study)]
    flat = points.shape[1] == 2
    return _trace(
        points,
        mode="markers+text",
        name="static vector",
        legendgroup="static",
        text=["static"] * len(points),
        textposition="bottom center",
        textfont={"size": 12, "color": colours.ink},
        marker={
            "size": 16 if flat else 9,
            "symbol": "star" if flat else "diamond-open",
            "color": colours.ink,
            "line": {"width": 1, "color": colours.paper},
        },
        meta=literal(study.word),
        hovertemplate=_hover_of(
            points, "static vector of “%{meta}”: its row of the embedding table, the same in every sentence"
        ),
    )


def _others_trace(study: WordStudy, shown: WordProjection, colours: Theme) -> Any:
    sample = study.sample
    hover = [
        f"{literal(label)}<br>another token of sentence {number + 1}"
        for label, number in zip(sample.labels, sample.sentences.tolist(), strict=True)
    ]
    return _trace(
        shown.others,
        mode="markers",
        name="other tokens",
        legendgroup="others",
        marker={"size": 5 if shown.switches.axes == 2 else 3, "color": colours.faint, "opacity": 0.45},
        customdata=hover,
        hovertemplate=_hover_of(shown.others, "%{customdata}"),
    )


def _anchor_trace(study: WordStudy, shown: WordProjection, colours: Theme) -> Any:
    points = anchor_points(shown)
    words = [literal(anchor.word) for anchor in study.anchors]
    count = len(words)
    hover = [
        *(f"anchor “{literal(a.word)}” in “{literal(a.text)}”" for a in study.anchors),
        *(f"static vector of the anchor “{word}”" for word in words),
    ]
    static = "star-open" if points.shape[1] == 2 else "circle-open"
    return _trace(
        points,
        mode="markers+text",
        name="anchors (☆ static)" if points.shape[1] == 2 else "anchors (○ static)",
        legendgroup="anchors",
        # Static vectors lie close together; their words appear on hover.
        text=[*words, *[""] * count],
        textposition="top center",
        textfont={"size": 11, "color": colours.faint},
        marker={
            "size": [10] * count + [9] * count if points.shape[1] == 2 else 5,
            "symbol": ["diamond-open"] * count + [static] * count,
            "color": colours.faint,
        },
        customdata=hover,
        hovertemplate=_hover_of(points, "%{customdata}"),
    )


def _arrow_trace(shown: WordProjection, rows: Sequence[int], number: int, colours: Theme) -> Any:
    points = arrow_points(shown.static[rows], shown.points[rows])
    colour = colours.senses[number % len(colours.senses)]
    heads: dict[str, Any] = {}
    if points.shape[1] == 2:  # three dimensions have lines only
        heads["marker"] = {
            "symbol": "arrow",
            "angleref": "previous",
            "standoff": 7,
            "color": colour,
            "size": [0, 10, 0] * len(rows),
        }
    return _trace(
        points,
        mode="lines+markers" if heads else "lines",
        legendgroup=f"sense {number}",
        showlegend=False,
        opacity=0.5,
        line={"width": 1.2, "color": colour},
        meta="arrows",
        hoverinfo="skip",
        **heads,
    )


def _path_trace(planes: Sequence[WordProjection], rows: Sequence[int], number: int, colours: Theme) -> Any:
    """Every occurrence's way from layer 0 to the last, a gap after each."""
    ways = np.stack([one.points[rows] for one in planes], axis=1)  # [n, L+1, k]
    gaps = np.full_like(ways[:, :1], np.nan)
    points = np.concatenate([ways, gaps], axis=1).reshape(-1, ways.shape[2])
    return _trace(
        points,
        mode="lines",
        legendgroup=f"sense {number}",
        showlegend=False,
        opacity=0.55,
        line={"width": 1, "color": colours.senses[number % len(colours.senses)]},
        hoverinfo="skip",
    )


def _hover(occurrence: Occurrence) -> str:
    """The sentence with the word in bold, broken into lines."""
    start, end = occurrence.span
    window = occurrence.text[max(0, start - 120) : end + 120]
    shift = start - max(0, start - 120)
    before, word, after = (window[:shift], window[shift : shift + end - start], window[shift + end - start :])
    wrapped = textwrap.wrap(f"{before}\x02{word}\x03{after}", 60) or [word]
    text = literal("\n".join(wrapped)).replace("\n", "<br>")
    text = text.replace("\x02", "<b>").replace("\x03", "</b>")
    pieces = f" · mean of {occurrence.pieces} pieces" if occurrence.pieces > 1 else ""
    return f"{occurrence.sentence + 1} · {literal(occurrence.sense)}{pieces}<br>{text}"
