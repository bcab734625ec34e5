"""A weight matrix as a linear map: the tokens and a grid before it, and where both are after it.

assets/inside-matrices.js moves the right picture back towards the left one: ``layout.meta`` says which
traces are the same thing before and after, and gives both pictures' frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import AXIS, cut, legend_above
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.labels import named, thinned
from explorer.figures.planes import framed_axis, names_trace, plane_layout, ring
from explorer.figures.style import STACKS, Theme, literal, model_label, theme_of
from explorer.records import FloatArray, LinearMapPlanes
from explorer.views.inside.matrices import MatricesSettings
from explorer.views.inside.matrices.compute import token_of

_WIDTH, _HEIGHT = 1040, 500  # pixels, in a file
LABELLED = 40
DRAWN = 600  # tokens in each picture
_SYMBOLS = {"query": "circle", "key": "square", "value": "triangle-up"}
_COLOURS = {"query": 0, "key": 2, "value": 3}  # of the theme's, as everywhere on the page
_OUTPUTS = {"query": "queries", "key": "keys", "value": "values"}
_DASHES = ("solid", "dash")  # of the left picture's axes, in both pictures
_BETWEEN = "between the two pictures: drawn along straight lines, nothing the model does"
_GAP = 0.08  # between the pictures, as a share of the whole
_MARGIN = 0.09  # around each, as a share of its spread
_SIZE = (480.0, 340.0)  # of one picture in pixels, to place names by
_MARK = 8  # pixels


def planes_figure(record: LinearMapPlanes, token: int | None = None, theme: str = "light") -> go.Figure:
    """Two pictures side by side, the same tokens named in both; the chosen ``token`` has a ring.

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    tokens = thinned(len(record.labels), DRAWN, () if token is None else (token,))
    chosen = [] if token is None else [tokens.index(token)]
    labels = [record.labels[i] for i in tokens]
    named_tokens = [
        tokens[i] for i in named((record.before[tokens], record.after[tokens]), labels, chosen, LABELLED, _SIZE)
    ]
    left, right = (list(_picture(record, side, tokens, named_tokens, token, colours)) for side in (0, 1))
    frames = [_frame(record.before, record.grid_before), _frame(record.after, record.grid_after)]
    titles = [
        (f"{what} · principal component 1 ({shares[0]:.1%})", f"principal component 2 ({shares[1]:.1%})")
        for what, shares in (
            ("before: inputs of the layer’s attention", record.explained_before),
            (f"after: the {_OUTPUTS[record.which]}", record.explained_after),
        )
    ]
    middle = (1 - _GAP) / 2
    heading = (
        f"{record.which.capitalize()} map · {literal(model_label(record.source.model))} · "
        f"{STACKS.get(record.stack, record.stack)} · layer {record.layer} · {_whose(record)}"
    )
    meta = {
        "frames": frames,
        "titles": [[titles[0][0], _BETWEEN, titles[1][0]], [titles[0][1], "", titles[1][1]]],
        "moved": [
            {"trace": len(left) + number, "from": _columns(before), "to": _columns(after)}
            for number, (before, after) in enumerate(zip(left, right, strict=True))
        ],
    }
    axes = _axes(colours, "", titles[0], frames[0], [0, middle])
    axes |= _axes(colours, "2", titles[1], frames[1], [1 - middle, 1])
    return go.Figure([*left, *right], plane_layout(colours, heading, meta=meta, **axes))


def interpolate_planes(figure: go.Figure, share: float) -> go.Figure:
    """Draw the right picture between before (a share of 0) and after (1), as the page's slider does.

    Args:
        figure: of ``planes_figure``, changed in place; its ``layout.meta`` is removed.
        share: of the way.
    """
    meta = figure.layout.meta
    if share < 1:
        for one in meta["moved"]:
            before, after = (np.array(one[end], dtype=float) for end in ("from", "to"))
            x, y = before + share * (after - before)
            figure.data[one["trace"]].update(x=x, y=y)
        start, end = np.array(meta["frames"])
        x_range, y_range = (start + share * (end - start)).tolist()
        x_title, y_title = (titles[0 if share == 0 else 1] for titles in meta["titles"])
        figure.update_xaxes(range=x_range, title_text=x_title, selector={"anchor": "y2"})
        figure.update_yaxes(range=y_range, title_text=y_title, selector={"anchor": "x2"})
    return figure.update_layout(meta=None)


def planes_caption(record: LinearMapPlanes, share: float = 1) -> str:
    """What a reader could paste under the figure; of a share in between, that the model has no such state."""
    parts = [
        f"The {record.which} map of layer {record.layer}, {_whose(record)}, of "
        f"{model_label(record.source.model)}: x ↦ x·W + b, {record.width} dimensions to {record.d_head}.",
        "Left: the inputs of the layer’s attention, in the PCA plane of these tokens "
        f"({record.explained_before.sum():.0%} of their variance); right: their {_OUTPUTS[record.which]}, in the PCA "
        f"plane of those ({record.explained_after.sum():.0%}).",
        "The points move, not the axes: the grid is laid on the left plane and moved by the same "
        "map, so that it shows where the old axes go.",
        "Each plane has its own axes, so that a rotation of everything together is not visible.",
    ]
    steps = [*(["normalises"] if record.normalised else []), *(["rotates by position"] if record.rotated else [])]
    if steps:
        parts.append(f"What the model then {' and '.join(steps)} is not in this picture.")
    if share < 1:
        parts.append(
            f"The right picture is drawn {share:.0%} of the way from before to after, along "
            "straight lines; the model has no such states."
        )
    if record.drop_first:
        parts.append("The first token is left out.")
    n_drawn = len(thinned(len(record.labels), DRAWN))
    if n_drawn < len(record.labels):
        parts.append(f"Of {len(record.labels):,} tokens {n_drawn:,} are drawn, evenly.")
    return " ".join([*parts, *(f"Note, {warning}." for warning in record.warnings), *cut(record.source.truncation)])


def map_facts(record: LinearMapPlanes) -> list[tuple[str, str]]:
    """What the map does, in words: a short name and a sentence each."""
    largest, smallest = float(record.singular_values[0]), float(record.singular_values[-1])
    seen, lengths = np.linalg.norm(record.plane_map, axis=1), record.lengths
    lost = ": what lies in the others is lost" if record.width > record.d_head else ""
    facts = {
        "stretch": f"×{largest:.3g} in the direction it stretches most, ×{smallest:.2g} in the least of "
        f"{len(record.singular_values)} (W’s singular values).",
        "squash": f"{record.width} dimensions become {record.d_head}{lost}. "
        f"{record.carrying} directions carry 90% of W’s squared singular values.",
        "old axes": f"A step along axis 1 becomes ×{lengths[0]:.2g} as long (×{seen[0]:.2g} seen on the right), "
        f"along axis 2 ×{lengths[1]:.2g} (×{seen[1]:.2g}).",
        "area": f"A cell of the grid has ×{record.area:.2g} its area on the right.",
    }
    if not math.isnan(record.from_plane):
        facts["left to right"] = (
            f"{record.from_plane:.0%} of the tokens’ spread on the right comes from the left plane. The rest comes "
            "from dimensions the left plane hides, so tokens leave their cells."
        )
    return list(facts.items())


def _whose(record: LinearMapPlanes) -> str:
    if record.shared < 2:
        return f"head {record.head}"
    first = record.of_head * record.shared
    return f"key/value head {record.of_head}, which heads {first}–{first + record.shared - 1} share"


def _picture(
    record: LinearMapPlanes, side: int, tokens: list[int], named_tokens: list[int], token: int | None, colours: Theme
) -> Iterator[go.Scatter]:
    """The traces of one side, in the same order on both."""
    points = (record.before, record.after)[side]
    grid = (record.grid_before, record.grid_after)[side]
    axes = {"xaxis": ("x", "x2")[side], "yaxis": ("y", "y2")[side]}
    for lines in grid:
        yield _lines(lines, {"width": 1, "color": colours.hatch}, name="grid", showlegend=False, **axes)
    for number, lines in enumerate(grid):
        yield _lines(
            _through_zero(lines, record.grid_before[number]),
            {"width": 2.5, "color": colours.ink, "dash": _DASHES[number]},
            name=f"axis {number + 1} of the left picture",
            showlegend=side == 0,
            **axes,
        )
    yield go.Scatter(
        x=points[tokens, 0],
        y=points[tokens, 1],
        mode="markers",
        name="tokens",
        showlegend=side == 0,
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"<b>{literal(record.labels[i])}</b> · token {i + record.drop_first}" for i in tokens],
        marker={
            "size": _MARK,
            "symbol": _SYMBOLS[record.which],
            "color": colours.senses[_COLOURS[record.which]],
            "line": {"width": 1, "color": colours.paper},
        },
        **axes,
    )
    yield ring(points[[] if token is None else [token]], "the chosen token", colours, **axes)
    yield names_trace(
        points[named_tokens],
        [literal(record.labels[i]) for i in named_tokens],
        [i == token for i in named_tokens],
        [colours.ink] * len(named_tokens),
        _MARK,
        colours,
        **axes,
    )


def _lines(ends: FloatArray, line: dict[str, Any], **more: Any) -> go.Scatter:
    """Lines in one trace: start, end, gap."""
    gap = np.full((len(ends), 1, 2), np.nan)
    x, y = np.concatenate([ends, gap], axis=1).reshape(-1, 2).T
    return go.Scatter(x=x, y=y, mode="lines", hoverinfo="skip", line=line, **more)


def _through_zero(lines: FloatArray, before: FloatArray) -> FloatArray:
    """The line that is the axis itself before the map, in either picture."""
    across = 1 if np.ptp(before[0, :, 1]) == 0 else 0
    middle = int(np.abs(before[:, 0, across]).argmin())
    return lines[middle : middle + 1]


def _frame(points: FloatArray, grid: tuple[FloatArray, FloatArray]) -> list[list[float]]:
    """Both axes' ranges, around tokens and grid."""
    every = np.concatenate([points, *(lines.reshape(-1, 2) for lines in grid)])
    low, high = every.min(axis=0), every.max(axis=0)
    room = _MARGIN * max(float((high - low).max()), 1e-9)
    return [[float(a - room), float(b + room)] for a, b in zip(low, high, strict=True)]


def _axes(
    colours: Theme, number: str, titles: tuple[str, str], frame: list[list[float]], domain: list[float]
) -> dict[str, Any]:
    x = {"range": frame[0], "domain": domain, "anchor": f"y{number}"}
    y = {"range": frame[1], "anchor": f"x{number}", "scaleanchor": f"x{number}", "scaleratio": 1}
    return {
        f"xaxis{number}": framed_axis(colours, titles[0], **x),
        f"yaxis{number}": framed_axis(colours, titles[1], **y),
    }


def _columns(trace: go.Scatter) -> list[list[float | None]]:
    """A trace's x and y for the browser, whose JSON has no NaN."""
    return [
        [None if math.isnan(value) else float(f"{value:.5g}") for value in np.asarray(side).tolist()]
        for side in (trace.x, trace.y)
    ]


def _planes(record: LinearMapPlanes, settings: MatricesSettings, style: FigureStyle) -> SizedFigure:
    figure = planes_figure(record, token_of(record, settings.query), style.theme)
    legend_above(interpolate_planes(figure, settings.share), _WIDTH)
    return SizedFigure(figure, planes_caption(record, settings.share), _WIDTH, _HEIGHT, AXIS)


FIGURES = {"planes": _planes}
