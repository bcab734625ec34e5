"""The outputs of a layer's heads for one token: how long, how alike, and their sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.figures.caption import AXIS, cut
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import DIVERGING, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import FloatArray, HeadOutputs
from explorer.views.inside.page import InsideSettings

_WIDTH, _HEIGHT, _ROW = 900, 460, 15  # pixels, in a file; the last of a head's vector
_NAMED = 18  # rows that still leave room for a name each


def outputs_figure(outputs: HeadOutputs, head: int, theme: str = "light") -> go.Figure:
    """Lengths and likeness of the heads' outputs, and the vectors themselves with their sum.

    Args:
        outputs: of one token.
        head: the head that is accented.
        theme: "light" or "dark".
    """
    colours = theme_of(theme)
    n_heads = len(outputs.added)
    names = [str(one) for one in range(n_heads)]
    total = outputs.added.sum(axis=0) + outputs.bias
    figure = make_subplots(
        rows=2,
        cols=2,
        specs=[[{}, {}], [{"colspan": 2}, None]],
        vertical_spacing=0.16,
        horizontal_spacing=0.12,
        row_heights=[1, 1],
        subplot_titles=(
            "length of each head’s output",
            "cosine of every two heads’ outputs",
            "the outputs, dimension by dimension, and their sum",
        ),
    )
    figure.add_trace(
        go.Bar(
            x=names,
            y=np.linalg.norm(outputs.added, axis=1),
            marker={"color": [colours.accent if one == head else colours.hatch for one in range(n_heads)]},
            customdata=cosines(np.vstack([outputs.added, total]))[-1, :-1],
            hovertemplate="head %{x}: length %{y:.3g}, cosine with the sum %{customdata:.2f}<extra></extra>",
        ),
        1,
        1,
    )
    figure.add_trace(
        go.Heatmap(
            z=cosines(outputs.added),
            zmin=-1,
            zmax=1,
            colorscale=DIVERGING[colours.name],
            hovertemplate="heads %{y} and %{x}: cosine %{z:.2f}<extra></extra>",
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "len": 0.42,
                "y": 1,
                "yanchor": "top",
                "title": {"text": "cosine", "side": "right"},
            },
        ),
        1,
        2,
    )
    rows = np.vstack([outputs.added, total]).astype(np.float32)
    largest = float(np.quantile(np.abs(rows), 0.999)) or 1.0
    figure.add_trace(
        go.Heatmap(
            z=rows,
            zmin=-largest,
            zmax=largest,
            colorscale=DIVERGING[colours.name],
            hovertemplate="%{y}, dimension %{x}: %{z:.4f}<extra></extra>",
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "len": 0.42,
                "y": 0,
                "yanchor": "bottom",
                "title": {"text": "value", "side": "right"},
            },
        ),
        2,
        1,
    )
    figure.update_layout(
        base_layout(
            colours,
            title=title(
                f"{literal(model_label(outputs.source.model))} · layer {outputs.layer} · what its heads "
                f"add to “{literal(outputs.query_label)}”"
            ),
            margin={"l": 8, "r": 8, "t": 58, "b": 8},
            showlegend=False,
            bargap=0.3,
        )
    )
    figure.update_annotations(font={"size": 12, "color": colours.faint})
    figure.update_layout(
        xaxis=axis(colours, "head", type="category"),
        yaxis=axis(colours, "length", rangemode="tozero"),
        xaxis2=axis(colours, "head", **_ticks(names)),
        yaxis2=axis(colours, "head", autorange="reversed", **_ticks(names)),
        xaxis3=axis(colours, "dimension of the residual stream"),
        yaxis3=axis(colours, "", autorange="reversed", **_ticks([*(f"head {one}" for one in names), "sum"])),
    )
    return figure


def _ticks(names: list[str]) -> dict[str, Any]:
    """A name for each row or column; of many every other, and the last."""
    step = 1 + len(names) // _NAMED
    shown = [*range(0, len(names) - 1, step), len(names) - 1]
    return {"tickvals": shown, "ticktext": [names[one] for one in shown]}


def cosines(vectors: FloatArray) -> FloatArray:
    """Cosine of every two rows [n, n]; 0 where one has no length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return unit @ unit.T


def outputs_caption(outputs: HeadOutputs) -> str:
    """What a reader could paste under the figure."""
    lengths = np.linalg.norm(outputs.added, axis=1)
    strongest = int(lengths.argmax())
    n_heads, width = outputs.mixed.shape
    together = float(np.linalg.norm(outputs.added.sum(axis=0)))
    apart = (
        f", less than the {lengths.sum():.3g} that their lengths add up to, because they pull in different directions"
        if together < 0.999 * lengths.sum()
        else ""
    )
    said = (
        f"Each head mixes values of {width} dimensions; side by side they are "
        f"{n_heads} × {width} = {n_heads * width}, which W_O brings to the residual stream. Cut by "
        "head, W_O gives each head a matrix of its own, and the sum of what these give is the "
        f"same: here to a relative {outputs.error:.0e}. Head {strongest} adds most "
        f"(length {lengths[strongest]:.3g}); together they add {together:.3g}{apart}. The output "
        f"bias, which is no head’s, has length {np.linalg.norm(outputs.bias):.3g}."
    )
    return " ".join([said, *cut(outputs.source.truncation)])


def _outputs(record: HeadOutputs, settings: InsideSettings, style: FigureStyle) -> SizedFigure:
    height = max(_HEIGHT, 2 * _ROW * len(record.added) + 160)
    figure = outputs_figure(record, settings.head, style.theme)
    return SizedFigure(figure, outputs_caption(record), _WIDTH, height, AXIS)


FIGURES = {"outputs": _outputs}
