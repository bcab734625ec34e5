"""Lines from queries (left) to keys (right), as wide as the weight they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import cut, on_switches
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import STACKS, Theme, axis, base_layout, literal, model_label, theme_of, title, width_of
from explorer.records import HeadLines, IntArray
from explorer.views.heads.lines import LinesSettings

# Weights are drawn in steps; each begins at its number and ends where the next one begins.
STEPS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
_WIDTHS = (0.7, 1.0, 1.5, 2.2, 3.2, 4.6)
_OPACITIES = (0.3, 0.4, 0.55, 0.7, 0.85, 1.0)

_ROW, _WIDEST_ROW = 16, 40  # pixels from one token to the next
_FONT = 11
_LINE = 1.3 * _FONT  # pixels from line to line of a text, as plotly sets it
_MARGINS = 45  # pixels that legend and edges take
_ONE_BY_ONE, _AT_ONCE = 60, 16  # tokens with a text each; of more, tokens in one text
_MOST_LABELS = 520  # in a column
_LABEL_LENGTH = 18
_SPREAD = 0.5  # of a row, over which the lines of several heads lie side by side
_GAP = 0.012  # between a label and its lines, which are 1 long from side to side
_IN_HOVER = 3  # lines of each head that a hover spells out


@dataclass(frozen=True)
class LineGroup:
    """The lines of one head within one step of weight: one shape in the figure.

    ``place`` is the head's place among those drawn, ``shift`` how far its lines lie from
    the middle of a token's row.
    """

    place: int
    step: int
    shift: float
    queries: tuple[int, ...]
    keys: tuple[int, ...]

    @property
    def path(self) -> str:
        """The lines as an SVG path in the figure's coordinates."""
        return "".join(
            f"M0,{query + self.shift:g}L1,{key + self.shift:g}"
            for query, key in zip(self.queries, self.keys, strict=True)
        )


_WIDTH = 700  # pixels, in a file


def line_groups(drawn: HeadLines) -> list[LineGroup]:
    """All lines, grouped by step of weight and head, the faintest first."""
    steps = np.searchsorted(np.array(STEPS), drawn.weights, side="right") - 1
    groups = []
    for step in range(len(STEPS)):
        for place in range(len(drawn.heads)):
            here = np.flatnonzero((steps == step) & (drawn.line_heads == place))
            if len(here):
                groups.append(
                    LineGroup(
                        place,
                        step,
                        _shift(place, len(drawn.heads)),
                        tuple(drawn.line_queries[here].tolist()),
                        tuple(drawn.line_keys[here].tolist()),
                    )
                )
    return groups


def _shift(place: int, n_heads: int) -> float:
    return round(_SPREAD * ((place + 0.5) / n_heads - 0.5), 4)


def lines_figure(drawn: HeadLines, theme: str = "light") -> go.Figure:
    """Tokens in two columns, and a line in its head's colour for each strong weight.

    A group of lines is one shape, so that a thousand lines are a few nodes of the page.
    ``layout.meta["groups"]`` has the lines of each shape in the shapes' order, with which
    the browser isolates those of a token (assets/heads-lines.js).
    """
    colours = theme_of(theme)
    groups = line_groups(drawn)
    figure = go.Figure([_tokens(drawn), *_labels(drawn, colours), *_legend(drawn, groups, colours)])
    figure.update_layout(
        _layout(drawn, colours),
        shapes=[_shape(group, colours) for group in groups],
        meta={
            "groups": [
                {"shift": group.shift, "opacity": _OPACITIES[group.step], "queries": group.queries, "keys": group.keys}
                for group in groups
            ]
        },
    )
    return figure


def lines_caption(drawn: HeadLines) -> str:
    """What a reader could paste under the figure, with what was left out."""
    count, threshold = len(drawn.weights), f"{drawn.threshold:g}"
    parts = [
        f"{STACKS[drawn.stack].capitalize()} of {model_label(drawn.source.model)}, layer {drawn.layer}, "
        f"{_heads(drawn.heads)} (counted from 0): lines from each query (left) to the keys it "
        "attends to (right), wider and stronger with more weight."
    ]
    if not count:
        parts.append(f"No weight reaches {threshold}, so no line is drawn.")
    elif count < drawn.above:
        parts.append(f"Drawn are the {count:,} strongest of {drawn.above:,} weights of at least {threshold}.")
    else:
        parts.append(f"Drawn are all {count:,} weights of at least {threshold}.")
    parts.append(_carried(drawn))
    if drawn.causal:
        parts.append("Causal: no query sees a later key.")
    parts += on_switches(drawn.switches)
    parts += cut(drawn.source.truncation)
    every = _every(drawn)
    if every > 1:
        parts.append(f"One token in {every} is labelled.")
    return " ".join(parts)


def _heads(heads: tuple[int, ...]) -> str:
    names = [str(head) for head in heads]
    if len(names) == 1:
        return f"head {names[0]}"
    return f"heads {', '.join(names[:-1])} and {names[-1]}"


def _carried(drawn: HeadLines) -> str:
    shares = [f"{share:.0%} of head {head}’s" for head, share in zip(drawn.heads, drawn.shares, strict=True)]
    listed = shares[0] if len(shares) == 1 else f"{', '.join(shares[:-1])} and {shares[-1]}"
    return f"The lines carry {listed} weight."


def panel_height(drawn: HeadLines) -> str:
    """A CSS height: of a few tokens the panel's own, within reason; of many what they need."""
    top, bottom = _span(drawn)
    rows = bottom - top
    if _tallest(drawn) > _ONE_BY_ONE:  # the lines of a text must meet their tokens' rows
        return f"{rows / _every(drawn) * _LINE + _MARGINS:.1f}px"
    return f"clamp({rows * _ROW + _MARGINS:.0f}px, 100%, {rows * _WIDEST_ROW + _MARGINS:.0f}px)"


def file_height(drawn: HeadLines) -> int:
    """The height in a file, in pixels, at which every token drawn has its row."""
    top, bottom = _span(drawn)
    rows = bottom - top
    many = _tallest(drawn) > _ONE_BY_ONE
    return round(rows / _every(drawn) * _LINE + _MARGINS if many else rows * _WIDEST_ROW + _MARGINS)


def _shape(group: LineGroup, colours: Theme) -> dict[str, Any]:
    return {
        "type": "path",
        "path": group.path,
        "opacity": _OPACITIES[group.step],
        "layer": "below",
        "line": {"color": colours.senses[group.place], "width": _WIDTHS[group.step]},
    }


def _tokens(drawn: HeadLines) -> go.Heatmap:
    """Unseen cells over the labels, for hover: the left column queries, the right one keys.

    As a heatmap they are one node of the page, however many tokens there are.
    """
    count = _tallest(drawn)
    here = np.full((count, 3), np.nan)
    here[: len(drawn.queries), 0] = 0
    here[: len(drawn.keys), 2] = 0
    said = [["", "", ""] for _ in range(count)]
    for column, side in ((0, "query"), (2, "key")):
        for index, sentence in enumerate(_sentences(drawn, side)):
            said[index][column] = sentence
    edge = _zone(drawn)
    return go.Heatmap(
        x=[-edge, 0, 1, 1 + edge],
        y=list(range(count)),
        z=here,
        text=said,
        colorscale=[[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        showscale=False,
        hoverongaps=False,
        hovertemplate="%{text}<extra></extra>",
    )


def _sentences(drawn: HeadLines, side: str) -> Iterator[str]:
    """What a hover says of each query or key: its label and its strongest lines."""
    if side == "query":
        own, others = drawn.line_queries, drawn.line_keys
        labels, notes, far, verb = drawn.queries, drawn.query_notes, drawn.keys, "→"
    else:
        own, others = drawn.line_keys, drawn.line_queries
        labels, notes, far, verb = drawn.keys, drawn.key_notes, drawn.queries, "←"
    ends = _ends(drawn, own, others)
    for index, (label, note) in enumerate(zip(labels, notes, strict=True)):
        rows = [f"{side} {literal(f'{label}  ({note})' if note else label)}"]
        for place, head in enumerate(drawn.heads):
            lines = ends.get((index, place), [])
            if lines:
                listed = [f"{literal(far[end])} {weight:.3f}" for end, weight in lines]
                more = len(listed) - _IN_HOVER
                rest = f" … and {more} more" if more > 0 else ""
                rows.append(f"head {head} {verb} {', '.join(listed[:_IN_HOVER])}{rest}")
        yield "<br>".join(rows)


def _ends(drawn: HeadLines, own: IntArray, others: IntArray) -> dict[tuple[int, int], list[tuple[int, float]]]:
    """For a token and a head's place: the lines' other ends and weights, strongest first."""
    ends: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for index, place, end, weight in zip(
        own.tolist(), drawn.line_heads.tolist(), others.tolist(), drawn.weights.tolist(), strict=True
    ):
        ends.setdefault((index, place), []).append((end, weight))
    return ends


def _labels(drawn: HeadLines, colours: Theme) -> list[go.Scatter]:
    """The two columns; in a long one several labels are one text, which saves nodes."""
    every, at_once = _every(drawn), _AT_ONCE if _tallest(drawn) > _ONE_BY_ONE else 1
    columns = (
        (-_GAP, "queries (attend)", drawn.queries, "middle left"),
        (1 + _GAP, "keys (attended to)", drawn.keys, "middle right"),
    )
    traces = []
    for x, name, labels, side in columns:
        shown = list(range(0, len(labels), every))
        blocks = [shown[i : i + at_once] for i in range(0, len(shown), at_once)]
        texts = ["<br>".join(literal(_short(labels[i])) for i in block) for block in blocks]
        middles = [(block[0] + block[-1]) / 2 for block in blocks]
        traces.append(
            go.Scatter(
                x=[x] * (1 + len(blocks)),
                y=[-1.2 * every, *middles],
                mode="text",
                text=[f"<i>{name}</i>", *texts],
                textposition=side,
                textfont={"size": _FONT, "color": colours.ink},
                cliponaxis=False,
                hoverinfo="skip",
                showlegend=False,
            )
        )
    return traces


def _tallest(drawn: HeadLines) -> int:
    return max(len(drawn.queries), len(drawn.keys))


def _every(drawn: HeadLines) -> int:
    """Each how-manieth token is labelled."""
    return -(-_tallest(drawn) // _MOST_LABELS)


def _span(drawn: HeadLines) -> tuple[float, float]:
    """Where the picture begins and ends, counted in tokens: above them title and headings."""
    return -2.9 * _every(drawn), _tallest(drawn) - 0.4


def _legend(drawn: HeadLines, groups: list[LineGroup], colours: Theme) -> list[go.Scatter]:
    """Which colour is which head, and which width is how much weight."""
    heads = [(f"head {head}", {"color": colours.senses[place], "width": 3}) for place, head in enumerate(drawn.heads)]
    weights = [
        (_step_name(step), {"color": colours.faint, "width": _WIDTHS[step]})
        for step in sorted({group.step for group in groups})
    ]
    return [
        go.Scatter(x=[None], y=[None], mode="lines", name=name, line=line, hoverinfo="skip")
        for name, line in heads + weights
    ]


def _step_name(step: int) -> str:
    if step == len(STEPS) - 1:
        return f"weight {STEPS[step]:g} and more"
    return f"weight {STEPS[step]:g} to {STEPS[step + 1]:g}"


def _layout(drawn: HeadLines, colours: Theme) -> dict[str, Any]:
    edge, (top, bottom) = _zone(drawn), _span(drawn)
    unseen = {"visible": False, "fixedrange": True}
    stack = "" if drawn.stack in ("encoder", "decoder") else f"{drawn.stack} · "
    name = f"{literal(model_label(drawn.source.model))} · {stack}layer {drawn.layer} · {_heads(drawn.heads)}"
    return base_layout(
        colours,
        xaxis=axis(colours, "", range=[-edge, 1 + edge], **unseen),
        yaxis=axis(colours, "", range=[bottom, top], **unseen),
        # Inside the picture: above it is the legend.
        title=title(name) | {"yref": "paper", "automargin": False},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"size": 11},
        },
        # Enough for two lines of legend: shapes are not moved when a legend makes its own room.
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        hovermode="closest",
    )


def _zone(drawn: HeadLines) -> float:
    """How wide a column of labels is, beside lines of width 1."""
    longest = max(width_of(_short(label)) for label in drawn.queries + drawn.keys)
    return 0.12 + 0.4 * min(longest, _LABEL_LENGTH) / _LABEL_LENGTH


def _short(label: str) -> str:
    """A label cut to the column's width."""
    if width_of(label) <= _LABEL_LENGTH:
        return label
    kept = ""
    for character in label:
        if width_of(kept + character) >= _LABEL_LENGTH:
            break
        kept += character
    return f"{kept}…"


def _lines(record: HeadLines, _settings: LinesSettings, style: FigureStyle) -> SizedFigure:
    figure = lines_figure(record, style.theme)
    return SizedFigure(figure, lines_caption(record), _WIDTH, file_height(record), fixed=True)


FIGURES = {"lines": _lines}
