"""What captions say, and a figure made ready to stand alone in a file, its caption under it."""

from __future__ import annotations

import textwrap

import plotly.graph_objects as go

from explorer.figures.style import literal
from explorer.records import HeadMap, MapOptions

_LINE_HEIGHT = 17
_CHARACTER_WIDTH = 6.4  # mean, at the caption's size
_LABELS = 90  # pixels that labels left of the caption may take more than is known
AXIS = 46  # pixels that the numbers and the title of a lower axis take
_ENTRY, _LEGEND_ROW = 125, 21  # pixels of a legend's entry, and of a row of them
_EDGE = 10  # between the caption and the figure's edges


def whose(drawn: HeadMap) -> str:
    """Which heads a map is of: "layer 3, head 7", or those taken together."""
    switches = drawn.switches
    if switches.aggregate == "head":
        return f"layer {drawn.layer}, head {drawn.head}"
    together = {"mean": "mean", "max": "largest weight", "sum": "sum"}[switches.aggregate]
    if not switches.heads:
        return f"layer {drawn.layer}, {together} of all heads"
    names = ", ".join(f"{layer}.{head}" for layer, head in switches.heads)
    return f"{together} of heads {names}" if len(switches.heads) > 1 else f"head {names}"


def on_switches(switches: MapOptions) -> list[str]:
    """What a caption must say of the switches that are on, a sentence each."""
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
    """Which text a figure is of, cut to a line."""
    shown = textwrap.shorten(text, 90, placeholder=" …") or text[:90]
    return f"Text: “{shown}”" + (", with a second text" if pair else "")


def cut(truncation: str) -> list[str]:
    """What a caption must say of a text that is read in part, as a sentence; or nothing."""
    return [f"Truncated: {truncation}."] if truncation else []


def legend_above(figure: go.Figure, width: int) -> go.Figure:
    """Bring a legend from below the picture, where a file has its caption, to above it.

    Args:
        figure: changed in place.
        width: of the whole, in pixels.
    """
    entries = sum(trace.showlegend is not False for trace in figure.data)
    rows = -(-entries * _ENTRY // width)
    return figure.update_layout(
        legend={"yref": "paper", "y": 1.01, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin={"t": (figure.layout.margin.t or 0) + _LEGEND_ROW * rows},
    )


def captioned(figure: go.Figure, caption: str, width: int, height: int, axis: int = 0) -> go.Figure:
    """Give a figure a size and a caption below.

    Args:
        figure: changed in place.
        caption: plain text, wrapped to the figure's width.
        width: of the whole, in pixels.
        height: without the caption, in pixels.
        axis: pixels that the labels of a lower axis need above the caption.
    """
    margin = figure.layout.margin
    left = _EDGE - (margin.l or 0)
    # A margin that grows with its labels moves the caption along.
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
        xshift=left,
        yshift=-axis - 8,
        align="left",
        showarrow=False,
        font={"size": 12},
    )
    figure.update_layout(width=width, height=height + below, margin={"b": below})
    return figure
