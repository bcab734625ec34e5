"""Lines from queries (left) to keys (right), wider for a larger weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import cut, on_switches
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import STACKS, Theme, axis, base_layout, literal, model_label, theme_of, title, width_of
from explorer.records import HeadLines, IntArray
from explorer.views.heads.figure_parts import model_and_stack
from explorer.views.heads.lines import LinesSettings

# The lower bounds of the steps in which weights are drawn.
STEPS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.7)
_WIDTHS = (0.7, 1.0, 1.5, 2.2, 3.2, 4.6)
_OPACITIES = (0.3, 0.4, 0.55, 0.7, 0.85, 1.0)

_ROW, _WIDEST_ROW = 16, 40  # pixels from one token to the next
_FONT = 11
_LINE = 1.3 * _FONT  # pixels from line to line of plotly's texts
_MARGINS = 45  # pixels of the legend and the edges
_ONE_BY_ONE, _AT_ONCE = 60, 16  # the most tokens with a text each; tokens a text above that
_MOST_LABELS = 520  # in a column
_LABEL_LENGTH = 18
_SPREAD = 0.5  # the share of a row over which the lines of several heads are spread
_GAP = 0.012  # between a label and its lines, which are 1 long from side to side
_IN_HOVER = 3  # lines of each head that a hover text lists


@dataclass(frozen=True)
class LineGroup:
    """The lines of one head within one step of weight: one shape in the figure.

    ``place`` is the head's index in the record, ``shift`` the offset of its lines from
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
        ends = zip(self.queries, self.keys, strict=True)
        return "".join(f"M0,{query + self.shift:g}L1,{key + self.shift:g}" for query, key in ends)


_WIDTH = 700  # pixels, in a file


def line_groups(record: HeadLines) -> list[LineGroup]:
    """All lines, grouped by step of weight and head, the faintest first."""
    steps = np.searchsorted(np.array(STEPS), record.weights, side="right") - 1
    groups = []
    for step, place in np.ndindex(len(STEPS), len(record.heads)):
        selected = np.flatnonzero((steps == step) & (record.line_heads == place))
        if len(selected):
            shift = round(_SPREAD * ((place + 0.5) / len(record.heads) - 0.5), 4)
            queries, keys = (tuple(ends[selected].tolist()) for ends in (record.line_queries, record.line_keys))
            groups.append(LineGroup(place, step, shift, queries, keys))
    return groups


def lines_figure(record: HeadLines, theme: str = "light") -> go.Figure:
    """Tokens in two columns, and a line in its head's colour for each large weight.

    A group of lines is one shape, so that a thousand lines are a few nodes of the page.
    ``layout.meta["groups"]`` has the lines of each shape in the shapes' order, with which
    the browser isolates those of a token (assets/heads-lines.js).
    """
    colours = theme_of(theme)
    groups = line_groups(record)
    figure = go.Figure([_tokens(record), *_labels(record, colours), *_legend(record, groups, colours)])
    figure.update_layout(
        _layout(record, colours),
        shapes=[
            {
                "type": "path",
                "path": group.path,
                "opacity": _OPACITIES[group.step],
                "layer": "below",
                "line": {"color": colours.senses[group.place], "width": _WIDTHS[group.step]},
            }
            for group in groups
        ],
        meta={
            "groups": [
                {"shift": group.shift, "opacity": _OPACITIES[group.step], "queries": group.queries, "keys": group.keys}
                for group in groups
            ]
        },
    )
    return figure


def lines_caption(record: HeadLines) -> str:
    """The caption of the figure, with what was left out."""
    count, threshold = len(record.weights), f"{record.threshold:g}"
    parts = [
        f"{STACKS[record.stack].capitalize()} of {model_label(record.source.model)}, layer {record.layer}, "
        f"{_heads(record)} (counted from 0): lines from each query (left) to the keys it "
        "attends to (right), wider and stronger with more weight."
    ]
    if not count:
        parts.append(f"No weight reaches {threshold}, so no line is drawn.")
    elif count < record.above:
        parts.append(f"The {count:,} strongest of {record.above:,} weights of at least {threshold} are drawn.")
    else:
        parts.append(f"All {count:,} weights of at least {threshold} are drawn.")
    shares = [f"{share:.0%} of head {head}’s" for head, share in zip(record.heads, record.shares, strict=True)]
    parts.append(f"The lines carry {_enumeration(shares)} weight.")
    if record.causal:
        parts.append("Causal: no query sees a later key.")
    parts += on_switches(record.switches)
    parts += cut(record.source.truncation)
    every = _every(record)
    if every > 1:
        parts.append(f"One token in {every} is labelled.")
    return " ".join(parts)


def _heads(record: HeadLines) -> str:
    return f"{'head' if len(record.heads) == 1 else 'heads'} {_enumeration([str(head) for head in record.heads])}"


def _enumeration(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def panel_height(record: HeadLines) -> str:
    """A CSS height: the panel's own for a few tokens, within bounds; as much as needed for many."""
    top, bottom = _span(record)
    rows = bottom - top
    if _tallest(record) > _ONE_BY_ONE:  # the lines of a text must align with their tokens' rows
        return f"{rows / _every(record) * _LINE + _MARGINS:.1f}px"
    return f"clamp({rows * _ROW + _MARGINS:.0f}px, 100%, {rows * _WIDEST_ROW + _MARGINS:.0f}px)"


def file_height(record: HeadLines) -> int:
    """The height in a file, in pixels, with a row for every token."""
    top, bottom = _span(record)
    rows = bottom - top
    many = _tallest(record) > _ONE_BY_ONE
    return round(rows / _every(record) * _LINE + _MARGINS if many else rows * _WIDEST_ROW + _MARGINS)


def _tokens(record: HeadLines) -> go.Heatmap:
    """Transparent cells over the labels, for hover: queries in the left column, keys in the right one.

    As a heatmap they are one node of the page, however many tokens there are.
    """
    count = _tallest(record)
    z = np.full((count, 3), np.nan)
    texts = [["", "", ""] for _ in range(count)]
    for column, side in ((0, "query"), (2, "key")):
        for index, text in enumerate(_hover_texts(record, side)):
            z[index, column] = 0
            texts[index][column] = text
    edge = _zone(record)
    return go.Heatmap(
        x=[-edge, 0, 1, 1 + edge],
        y=list(range(count)),
        z=z,
        text=texts,
        colorscale=[[0, "rgba(0,0,0,0)"], [1, "rgba(0,0,0,0)"]],
        showscale=False,
        hoverongaps=False,
        hovertemplate="%{text}<extra></extra>",
    )


def _hover_texts(record: HeadLines, side: str) -> Iterator[str]:
    """The hover text of each query or key: its label and its strongest lines."""
    if side == "query":
        own, others = record.line_queries, record.line_keys
        labels, notes, far, verb = record.queries, record.query_notes, record.keys, "→"
    else:
        own, others = record.line_keys, record.line_queries
        labels, notes, far, verb = record.keys, record.key_notes, record.queries, "←"
    ends = _ends(record, own, others)
    for index, (label, note) in enumerate(zip(labels, notes, strict=True)):
        rows = [f"{side} {literal(f'{label}  ({note})' if note else label)}"]
        for place, head in enumerate(record.heads):
            lines = ends.get((index, place), [])
            if lines:
                listed = [f"{literal(far[end])} {weight:.3f}" for end, weight in lines]
                more = len(listed) - _IN_HOVER
                rest = f" … and {more} more" if more > 0 else ""
                rows.append(f"head {head} {verb} {', '.join(listed[:_IN_HOVER])}{rest}")
        yield "<br>".join(rows)


def _ends(record: HeadLines, own: IntArray, others: IntArray) -> dict[tuple[int, int], list[tuple[int, float]]]:
    """The other ends and the weights of the lines of each token and head, strongest first."""
    ends: dict[tuple[int, int], list[tuple[int, float]]] = {}
    columns = (own, record.line_heads, others, record.weights)
    for index, place, end, weight in zip(*(column.tolist() for column in columns), strict=True):
        ends.setdefault((index, place), []).append((end, weight))
    return ends


def _labels(record: HeadLines, colours: Theme) -> list[go.Scatter]:
    """The two columns of labels; a text of a long column has several labels, which saves nodes."""
    every, at_once = _every(record), _AT_ONCE if _tallest(record) > _ONE_BY_ONE else 1
    columns = (
        (-_GAP, "queries (attend)", record.queries, "middle left"),
        (1 + _GAP, "keys (attended to)", record.keys, "middle right"),
    )
    traces = []
    for x, name, labels, side in columns:
        labelled = list(range(0, len(labels), every))
        blocks = [labelled[i : i + at_once] for i in range(0, len(labelled), at_once)]
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


def _tallest(record: HeadLines) -> int:
    return max(len(record.queries), len(record.keys))


def _every(record: HeadLines) -> int:
    """The step between labelled tokens."""
    return -(-_tallest(record) // _MOST_LABELS)


def _span(record: HeadLines) -> tuple[float, float]:
    """The vertical range, in tokens: the title and headings are above them."""
    return -2.9 * _every(record), _tallest(record) - 0.4


def _legend(record: HeadLines, groups: list[LineGroup], colours: Theme) -> list[go.Scatter]:
    """The colours of the heads, and the widths of the weights."""
    heads = [(f"head {head}", {"color": colours.senses[place], "width": 3}) for place, head in enumerate(record.heads)]
    ranges = [*(f"{low:g} to {high:g}" for low, high in pairwise(STEPS)), f"{STEPS[-1]:g} and more"]
    weights = [
        (f"weight {ranges[step]}", {"color": colours.faint, "width": _WIDTHS[step]})
        for step in sorted({group.step for group in groups})
    ]
    return [
        go.Scatter(x=[None], y=[None], mode="lines", name=name, line=line, hoverinfo="skip")
        for name, line in heads + weights
    ]


def _layout(record: HeadLines, colours: Theme) -> dict[str, Any]:
    edge, (top, bottom) = _zone(record), _span(record)
    hidden = {"visible": False, "fixedrange": True}
    name = f"{literal(model_and_stack(record))} · layer {record.layer} · {_heads(record)}"
    return base_layout(
        colours,
        xaxis=axis(colours, "", range=[-edge, 1 + edge], **hidden),
        yaxis=axis(colours, "", range=[bottom, top], **hidden),
        # Inside the figure, as the legend is above it.
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
        # Room for two lines of legend: shapes do not move when plotly makes room for it.
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        hovermode="closest",
    )


def _zone(record: HeadLines) -> float:
    """The width of a column of labels, relative to the lines."""
    longest = max(width_of(_short(label)) for label in record.queries + record.keys)
    return 0.12 + 0.4 * min(longest, _LABEL_LENGTH) / _LABEL_LENGTH


def _short(label: str) -> str:
    """A label cut to the column's width."""
    if width_of(label) <= _LABEL_LENGTH:
        return label
    start = ""
    for character in label:
        if width_of(start + character) >= _LABEL_LENGTH:
            break
        start += character
    return f"{start}…"


def _lines(record: HeadLines, _settings: LinesSettings, style: FigureStyle) -> SizedFigure:
    figure = lines_figure(record, style.theme)
    return SizedFigure(figure, lines_caption(record), _WIDTH, file_height(record), fixed=True)


FIGURES = {"lines": _lines}
