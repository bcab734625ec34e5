"""Sentences that captions share, and figures with their caption below, for files."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from explorer.figures.style import literal
from explorer.records import HeadMap, MapOptions

_LINE_HEIGHT = 17
_CHARACTER_WIDTH = 6.4  # mean, at the caption's size
_LABELS = 90  # most pixels of labels left of the caption beyond the margin
AXIS = 46  # pixels of the tick labels and the title of a lower axis
_ENTRY, _LEGEND_ROW = 125, 21  # pixels: width of a legend's entry, height of a row
_EDGE = 10  # pixels between the caption and the figure's edges


def whose(head_map: HeadMap) -> str:
    """The head of a map ("layer 3, head 7"), or its aggregated heads."""
    options = head_map.switches
    if options.aggregate == "head":
        return f"layer {head_map.layer}, head {head_map.head}"
    aggregate = {"mean": "mean", "max": "largest weight", "sum": "sum"}[options.aggregate]
    if not options.heads:
        return f"layer {head_map.layer}, {aggregate} of all heads"
    names = ", ".join(f"{layer}.{head}" for layer, head in options.heads)
    return f"{aggregate} of heads {names}" if len(options.heads) > 1 else f"head {names}"


def on_switches(switches: MapOptions) -> list[str]:
    """A caption's sentences about the options that are on."""
    parts = []
    if switches.norm:
        parts.append(
            "Norm-based weights, the length of what a key adds to the query’s output "
            "(Kobayashi et al. 2020), not attention weights."
        )
    if switches.part != "all":
        first, last = switches.part[0], switches.part[-1]
        parts.append(
            f"Block {switches.part}: queries of text {first}, keys of {last}; neither special "
            "tokens nor the other block are shown, rows not renormalised."
        )
    if switches.words:
        parts.append("Pieces merged to words: summed over a key's, averaged over a query's.")
    if not switches.special and switches.part == "all":
        parts.append("Special tokens left out, rows not renormalised.")
    return parts


def of_text(text: str, pair: str | None) -> str:
    """A caption's sentence about the text, shortened to a line."""
    start = textwrap.shorten(text, 90, placeholder=" …") or text[:90]
    return f"Text: “{start}”" + (", with a second text" if pair else "")


def cut(truncation: str) -> list[str]:
    """A caption's sentence about truncation; none for a whole text."""
    return [f"Truncated: {truncation}."] if truncation else []


def legend_above(figure: go.Figure, width: int) -> go.Figure:
    """Move a legend from below the axes, where a file has its caption, to above; changes ``figure``.

    ``width`` is that of the whole figure in pixels.
    """
    entries = sum(trace.showlegend is not False for trace in figure.data)
    rows = -(-entries * _ENTRY // width)
    return figure.update_layout(
        legend={"yref": "paper", "y": 1.01, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin={"t": (figure.layout.margin.t or 0) + _LEGEND_ROW * rows},
    )


def captioned(figure: go.Figure, caption: str, width: int, height: int, axis: int = 0) -> go.Figure:
    """Set a figure's size and add a caption below, wrapped to its width; changes ``figure``.

    In pixels: ``width`` of the whole figure, ``height`` without the caption, and ``axis`` for the
    labels of a lower axis above the caption.
    """
    margin = figure.layout.margin
    # A margin that grows with its labels moves the caption.
    room = width - 2 * _EDGE - (0 if margin.autoexpand is False else _LABELS)
    lines = textwrap.wrap(caption, max(int(room / _CHARACTER_WIDTH), 20))
    below = axis + 20 + _LINE_HEIGHT * len(lines)
    figure.add_annotation(
        text="<br>".join(literal(line) for line in lines),
        name="caption",
        xref="paper",
        yref="paper",
        x=0,
        y=0,
        xanchor="left",
        yanchor="top",
        xshift=_EDGE - (margin.l or 0),
        yshift=-axis - 8,
        align="left",
        showarrow=False,
        font={"size": 12},
    )
    figure.update_layout(width=width, height=height + below, margin={"b": below})
    return figure
