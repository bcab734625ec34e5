"""All layers of a word study in one figure, for the browser to move through.

assets/embeddings-embeddings.js reads ``layout.meta``: which traces move, and for each layer their points,
the title, the axes' names and ranges, the caption and the facts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import title
from explorer.records import BoolArray, FloatArray, PlaneParts, WordProjection, WordStudy
from explorer.views.embeddings.embeddings.compute import Plane
from explorer.views.embeddings.embeddings.points_figure import (
    anchor_points,
    axis_titles,
    figure_title,
    senses_of,
    static_rows,
    word_figure,
)
from explorer.views.embeddings.embeddings.scree_figure import scree_figure
from explorer.views.embeddings.page import PlaneSettings
from explorer.views.embeddings.word_caption import facts_line, word_caption

_DIGITS = 5  # of the largest coordinate; a screen has fewer dots
_MARGIN = 0.08  # around the points, as a share of their spread
_WIDTH, _HEIGHT, _BELOW = 900, 640, 48  # pixels of a file; below, what an axis is called
_ZOOM_OUT = "double-click to see all"


def plane_figure(
    study: WordStudy,
    planes: Sequence[WordProjection],
    layer: int,
    theme: str = "light",
    parts: PlaneParts | None = None,
) -> go.Figure:
    """A layer of a word study, with the other ``planes`` (with t-SNE none) in ``layout.meta``."""
    parts = parts or PlaneParts()
    shown = next(one for one in planes if one.layer == layer)
    figure = word_figure(study, shown, theme, parts, planes)
    by_layer = {one.layer: one.separation for one in planes}
    ranges, outside = _ranges(study, planes, parts)
    layers = [
        {
            "layer": one.layer,
            "title": figure_title(study, one.layer),
            "axes": axis_titles(one),
            "ranges": span,
            "caption": word_caption(study, one, parts, left_out, _ZOOM_OUT),
            "facts": facts_line(study, by_layer, one),
            **_points(study, one, parts),
        }
        for one, span, left_out in zip(planes, ranges, outside, strict=True)
    ]
    meta = {"layer": layer, "statics": _static_of_each(study), "layers": layers}
    figure.update_layout(meta=meta)
    _set_ranges(figure, next(x["ranges"] for x in layers if x["layer"] == layer))
    return figure


def _points(study: WordStudy, shown: WordProjection, parts: PlaneParts) -> dict[str, Any]:
    """What moves: lists by axis, of each trace."""
    digits = _decimals(np.concatenate([shown.points, shown.static]))
    moved: dict[str, Any] = {
        "senses": [_lists(shown.points[rows], digits) for rows in senses_of(study).values()],
        "static": _lists(shown.static[static_rows(study)], digits),
    }
    if parts.anchors and len(shown.anchors):
        moved["anchors"] = _lists(anchor_points(shown), digits)
    if parts.others and len(shown.others):
        moved["others"] = _lists(shown.others, digits)
    return moved


def _static_of_each(study: WordStudy) -> list[list[int]]:
    """For each sense's occurrences, which mark of the static trace is theirs."""
    marks = study.static[static_rows(study)]
    return [
        [int(np.abs(marks - study.static[row]).max(axis=1).argmin()) for row in rows]
        for rows in senses_of(study).values()
    ]


def _lists(points: FloatArray, digits: int) -> list[list[float | None]]:
    rounded = np.round(np.asarray(points, dtype=np.float64), digits)
    return [[None if math.isnan(x) else x for x in column] for column in rounded.T.tolist()]


def _decimals(points: FloatArray) -> int:
    largest = float(np.nanmax(np.abs(points), initial=0.0))
    return _DIGITS - math.ceil(math.log10(largest)) if largest > 0 else 0


def _ranges(
    study: WordStudy, planes: Sequence[WordProjection], parts: PlaneParts
) -> tuple[list[list[list[float]]], list[int]]:
    """Each layer's frame, and how many other tokens lie outside; one basis has one frame.

    Occurrences that the fit leaves out may lie outside, and other tokens far from all the rest
    do: in many models a text's first token would leave the word a dot.
    """
    inside = np.array([not (planes[0].switches.drop_first and o.position == 0) for o in study.occurrences])
    framed = []
    for one in planes:
        shown = [one.points[inside], one.static[inside]]
        shown += [anchor_points(one)] if parts.anchors else []
        framed.append(np.concatenate(shown))
    if planes[0].switches.basis != "layer":
        framed = [np.concatenate(framed)] * len(planes)
    if not parts.others:
        return [_frame(points) for points in framed], [0] * len(planes)
    near = [_near(points, one.others) for points, one in zip(framed, planes, strict=True)]
    others = [one.others[mask] for one, mask in zip(planes, near, strict=True)]
    if planes[0].switches.basis != "layer":
        others = [np.concatenate(others)] * len(planes)
    frames = [_frame(np.concatenate(both)) for both in zip(framed, others, strict=True)]
    return frames, [int((~mask).sum()) for mask in near]


def _near(points: FloatArray, others: FloatArray) -> BoolArray:
    """Which of the others lie no further outside the points than these are wide."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = float((high - low).max())
    return np.asarray(((others >= low - reach) & (others <= high + reach)).all(axis=1))


def _frame(points: FloatArray) -> list[list[float]]:
    low, high = points.min(axis=0), points.max(axis=0)
    room = _MARGIN * float((high - low).max()) or 1.0
    digits = _decimals(points) if points.any() else 2
    return [
        [round(a - room, digits), round(b + room, digits)] for a, b in zip(low.tolist(), high.tolist(), strict=True)
    ]


def _set_ranges(figure: go.Figure, ranges: Sequence[Sequence[float]]) -> None:
    names = [f"{name}axis" for name in "xyz"[: len(ranges)]]
    axes = {name: {"range": span} for name, span in zip(names, ranges, strict=True)}
    figure.update_layout(axes if len(names) == 2 else {"scene": axes})


def _plane(record: Plane, _settings: PlaneSettings, style: FigureStyle) -> SizedFigure:
    """One layer, in the frame it has on the screen."""
    study, planes, parts = record.study, record.projections, record.parts
    place = [one.layer for one in planes].index(record.shown.layer)
    figure = word_figure(study, record.shown, style.theme, parts, planes)
    ranges, outside = _ranges(study, planes, parts)
    _set_ranges(figure, ranges[place])
    return SizedFigure(figure, word_caption(study, record.shown, parts, outside[place]), _WIDTH, _HEIGHT, _BELOW)


def _scree(record: Plane, _settings: PlaneSettings, style: FigureStyle) -> SizedFigure:
    """What each component explains, saying whose components they are."""
    shown = record.shown
    if shown.basis is None:
        raise ValueError("t-SNE explains no variance: use PCA")
    figure = scree_figure(shown, style.theme)
    figure.update_layout(title=title(figure_title(record.study, shown.layer)), margin={"t": 36})
    caption = f"Share of the variance that each component explains, of {shown.fit}; coloured: the axes of the picture."
    return SizedFigure(figure, caption, 520, 320, 40)


FIGURES = {"plane": _plane, "scree": _scree}
