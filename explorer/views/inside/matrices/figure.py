"""A weight matrix as a linear map: the tokens and a grid before it, and where both are after it.

assets/inside-matrices.js brings the right picture back towards the left one: ``layout.meta`` says which
traces are the same thing before and after, and both pictures' frames.
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
from explorer.figures.style import STACKS, Theme, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import FloatArray, LinearMapPlanes
from explorer.views.inside.matrices import MatricesSettings
from explorer.views.inside.matrices.compute import token_of

_WIDTH, _HEIGHT = 1040, 500  # pixels, in a file
LABELLED = 40
DRAWN = 600  # tokens in each picture
_SYMBOLS = {"query": "circle", "key": "square", "value": "triangle-up"}
_COLOURS = {"query": 0, "key": 2, "value": 3}  # of the theme's, as everywhere on the page
_MADE = {"query": "queries", "key": "keys", "value": "values"}
_DASHES = ("solid", "dash")  # of the left picture's axes, wherever they go
_BETWEEN = "between the two pictures: drawn along straight lines, nothing the model does"
_GAP = 0.08  # between the pictures, as a share of the whole
_MARGIN = 0.09  # around each, as a share of its spread
_SIZE = (480.0, 340.0)  # of one picture in pixels, to place names by


def planes_figure(shown: LinearMapPlanes, token: int | None = None, theme: str = "light") -> go.Figure:
    """Two pictures side by side, the same tokens named in both.

    Args:
        shown: the tokens before and after the map.
        token: the chosen one among ``shown.labels``; None for none.
        theme: "light" or "dark".

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    tokens = thinned(len(shown.labels), DRAWN, () if token is None else (token,))
    wanted = [] if token is None else [tokens.index(token)]
    sides = shown.before[tokens], shown.after[tokens]
    names = [shown.labels[i] for i in tokens]
    kept = [tokens[i] for i in named(sides, names, wanted, LABELLED, _SIZE)]
    left = list(_picture(shown, 0, tokens, kept, token, colours))
    right = list(_picture(shown, 1, tokens, kept, token, colours))
    figure = go.Figure([*left, *right])
    frames = [_frame(shown.before, shown.grid_before), _frame(shown.after, shown.grid_after)]
    middle = (1 - _GAP) / 2
    titles = _titles(shown)
    figure.update_layout(
        base_layout(
            colours,
            title=title(
                f"{shown.which.capitalize()} map · {literal(model_label(shown.source.model))} · "
                f"{STACKS.get(shown.stack, shown.stack)} · layer {shown.layer} · {_whose(shown)}"
            ),
            **_axes(colours, "", titles[0], frames[0], [0, middle]),
            **_axes(colours, "2", titles[1], frames[1], [1 - middle, 1]),
            legend={
                "orientation": "h",
                "x": 0,
                "y": 0,
                "yanchor": "bottom",
                "yref": "container",
                "font": {"size": 12, "color": colours.ink},
            },
            margin={"l": 8, "r": 8, "t": 30, "b": 8},
            hovermode="closest",
            meta={
                "frames": frames,
                "titles": [[titles[0][0], _BETWEEN, titles[1][0]], [titles[0][1], "", titles[1][1]]],
                "moved": [
                    {"trace": len(left) + number, "from": _columns(was), "to": _columns(now)}
                    for number, (was, now) in enumerate(zip(left, right, strict=True))
                ],
            },
        )
    )
    return figure


def brought_back(figure: go.Figure, share: float) -> go.Figure:
    """The right picture on its way from before (a share of 0) to after (1), as the page moves it.

    Args:
        figure: of ``planes_figure``, changed in place; what moves it on the page is taken away.
        share: of the way.
    """
    meta = figure.layout.meta
    if share < 1:
        for one in meta["moved"]:
            before, after = (np.array(one[end], dtype=float) for end in ("from", "to"))
            x, y = before + share * (after - before)
            figure.data[one["trace"]].update(x=x, y=y)
        start, end = np.array(meta["frames"])
        across, up = (start + share * (end - start)).tolist()
        told = [titles[0 if share == 0 else 1] for titles in meta["titles"]]
        figure.update_xaxes(range=across, title_text=told[0], selector={"anchor": "y2"})
        figure.update_yaxes(range=up, title_text=told[1], selector={"anchor": "x2"})
    return figure.update_layout(meta=None)


def planes_caption(shown: LinearMapPlanes, share: float = 1) -> str:
    """What a reader could paste under the figure; of a share in between, that it is none."""
    made = _MADE[shown.which]
    parts = [
        f"The {shown.which} map of layer {shown.layer}, {_whose(shown)}, of "
        f"{model_label(shown.source.model)}: x ↦ x·W + b, {shown.width} dimensions to {shown.d_head}.",
        "Left: what the layer’s attention is given, in the PCA plane of these tokens "
        f"({shown.explained_before.sum():.0%} of their variance); right: their {made}, in the PCA "
        f"plane of those ({shown.explained_after.sum():.0%}).",
        "The points move, not the axes: the grid is laid on the left plane and moved by the same "
        "map, so that it shows where the old axes go.",
        "Each plane has its own axes, so that a turn of everything together is not seen.",
    ]
    if shown.normalised or shown.rotated:
        done = [*(["normalises"] if shown.normalised else []), *(["rotates by position"] if shown.rotated else [])]
        parts.append(f"What the model then {' and '.join(done)} is not in this picture.")
    if share < 1:
        parts.append(
            f"The right picture is drawn {share:.0%} of the way from before to after, along "
            "straight lines; the model takes no such way."
        )
    if shown.drop_first:
        parts.append("The first token is left out.")
    drawn = len(thinned(len(shown.labels), DRAWN))
    if drawn < len(shown.labels):
        parts.append(f"Of {len(shown.labels):,} tokens {drawn:,} are drawn, evenly.")
    parts += [f"Note, {warning}." for warning in shown.warnings] + cut(shown.source.truncation)
    return " ".join(parts)


def map_facts(shown: LinearMapPlanes) -> list[tuple[str, str]]:
    """What the map does, in words: a short name and a sentence each."""
    largest, smallest = float(shown.singular_values[0]), float(shown.singular_values[-1])
    seen = np.linalg.norm(shown.plane_map, axis=1)
    facts = [
        (
            "stretch",
            f"×{largest:.3g} in the direction it stretches most, ×{smallest:.2g} in the least of "
            f"{len(shown.singular_values)} (W’s singular values).",
        ),
        (
            "squash",
            f"{shown.width} dimensions become {shown.d_head}"
            + (": what lies in the others is lost. " if shown.width > shown.d_head else ". ")
            + f"{shown.carrying} directions carry 90% of W’s squared singular values.",
        ),
        (
            "old axes",
            f"A step along axis 1 becomes ×{shown.lengths[0]:.2g} as long "
            f"(×{seen[0]:.2g} seen on the right), along axis 2 ×{shown.lengths[1]:.2g} "
            f"(×{seen[1]:.2g}).",
        ),
        ("area", f"A cell of the grid has ×{shown.area:.2g} its area on the right."),
    ]
    if not math.isnan(shown.from_plane):
        facts.append(
            (
                "left to right",
                f"{shown.from_plane:.0%} of the tokens’ spread on the right comes from the left "
                "plane. The rest comes from dimensions the left plane hides, so tokens leave their "
                "cells.",
            )
        )
    return facts


def _whose(shown: LinearMapPlanes) -> str:
    if shown.shared < 2:
        return f"head {shown.head}"
    first = shown.of_head * shown.shared
    return f"key/value head {shown.of_head}, which heads {first}–{first + shown.shared - 1} share"


def _picture(
    shown: LinearMapPlanes, side: int, tokens: list[int], kept: list[int], token: int | None, colours: Theme
) -> Iterator[go.Scatter]:
    """The traces of one side, in the same order on both."""
    points = (shown.before, shown.after)[side]
    grid = (shown.grid_before, shown.grid_after)[side]
    place = {"xaxis": ("x", "x2")[side], "yaxis": ("y", "y2")[side]}
    legend = side == 0
    for lines in grid:
        yield _lines(lines, {"width": 1, "color": colours.hatch}, **place)
    for number, lines in enumerate(grid):
        yield _lines(
            _through_zero(lines, shown.grid_before[number]),
            {"width": 2.5, "color": colours.ink, "dash": _DASHES[number]},
            name=f"axis {number + 1} of the left picture",
            showlegend=legend,
            **place,
        )
    yield go.Scatter(
        x=points[tokens, 0],
        y=points[tokens, 1],
        mode="markers",
        name="tokens",
        showlegend=legend,
        cliponaxis=False,
        hovertemplate="%{customdata}<extra></extra>",
        customdata=[f"<b>{literal(shown.labels[i])}</b> · token {i + shown.drop_first}" for i in tokens],
        marker={
            "size": 8,
            "symbol": _SYMBOLS[shown.which],
            "color": colours.senses[_COLOURS[shown.which]],
            "line": {"width": 1, "color": colours.paper},
        },
        **place,
    )
    chosen = [] if token is None else [token]
    yield go.Scatter(
        x=points[chosen, 0],
        y=points[chosen, 1],
        mode="markers",
        name="the token chosen",
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
        marker={
            "size": 16,
            "symbol": "circle-open",
            "color": colours.accent,
            "line": {"width": 2.5, "color": colours.accent},
        },
        **place,
    )
    yield go.Scatter(
        x=points[kept, 0],
        y=points[kept, 1],
        mode="markers+text",
        name="names",
        showlegend=False,
        hoverinfo="skip",
        textposition="top center",
        cliponaxis=False,
        # Unseen marks keep the names off those that are seen.
        marker={"opacity": 0, "size": [17 if i == token else 9 for i in kept]},
        text=[f"<b>{literal(shown.labels[i])}</b>" if i == token else literal(shown.labels[i]) for i in kept],
        textfont={"size": 12, "color": [colours.accent if i == token else colours.ink for i in kept]},
        **place,
    )


def _lines(ends: FloatArray, line: dict[str, Any], **more: Any) -> go.Scatter:
    """Lines in one trace: start, end, gap."""
    gap = np.full((len(ends), 1, 2), np.nan)
    flat = np.concatenate([ends, gap], axis=1).reshape(-1, 2)
    return go.Scatter(
        **{
            "x": flat[:, 0],
            "y": flat[:, 1],
            "mode": "lines",
            "hoverinfo": "skip",
            "line": line,
            "showlegend": False,
            "name": "grid",
            **more,
        }
    )


def _through_zero(lines: FloatArray, before: FloatArray) -> FloatArray:
    """The line that is the axis itself, wherever it has gone."""
    across = 1 if np.ptp(before[0, :, 1]) == 0 else 0
    middle = int(np.abs(before[:, 0, across]).argmin())
    return lines[middle : middle + 1]


def _frame(points: FloatArray, grid: tuple[FloatArray, FloatArray]) -> list[list[float]]:
    """Both axes' ranges, around tokens and grid."""
    every = np.concatenate([points, *(lines.reshape(-1, 2) for lines in grid)])
    low, high = every.min(axis=0), every.max(axis=0)
    room = _MARGIN * max(float((high - low).max()), 1e-9)
    return [[float(a - room), float(b + room)] for a, b in zip(low, high, strict=True)]


def _titles(shown: LinearMapPlanes) -> tuple[tuple[str, str], tuple[str, str]]:
    """Both pictures' names of x and y."""

    def of(what: str, shares: FloatArray) -> tuple[str, str]:
        return (f"{what} · principal component 1 ({shares[0]:.1%})", f"principal component 2 ({shares[1]:.1%})")

    return (
        of("before: what the layer’s attention is given", shown.explained_before),
        of(f"after: the {_MADE[shown.which]}", shown.explained_after),
    )


def _axes(
    colours: Theme, number: str, titles: tuple[str, str], frame: list[list[float]], domain: list[float]
) -> dict[str, Any]:
    framed = {"ticks": "outside", "ticklen": 3, "showline": True, "mirror": True}
    return {
        f"xaxis{number}": axis(colours, titles[0], range=frame[0], domain=domain, anchor=f"y{number}", **framed),
        f"yaxis{number}": axis(
            colours, titles[1], range=frame[1], anchor=f"x{number}", scaleanchor=f"x{number}", scaleratio=1, **framed
        ),
    }


def _columns(trace: go.Scatter) -> list[list[float | None]]:
    """A trace's x and y for the browser, whose JSON has no NaN."""
    return [
        [None if math.isnan(value) else float(f"{value:.5g}") for value in np.asarray(side).tolist()]
        for side in (trace.x, trace.y)
    ]


def _planes(record: LinearMapPlanes, settings: MatricesSettings, style: FigureStyle) -> SizedFigure:
    figure = planes_figure(record, token_of(record, settings.query), style.theme)
    legend_above(brought_back(figure, settings.share), _WIDTH)
    return SizedFigure(figure, planes_caption(record, settings.share), _WIDTH, _HEIGHT, AXIS)


FIGURES = {"planes": _planes}
