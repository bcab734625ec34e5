"""The outputs of a layer's heads for one token: lengths, cosines, and their sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.figures.caption import AXIS, cut
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import DIVERGING, Theme, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import FloatArray, HeadOutputs
from explorer.views.inside.page import InsideSettings

_WIDTH, _HEIGHT, _ROW = 900, 460, 15  # pixels, in a file; the last of a head's vector
_NAMED = 18  # rows that still leave room for a name each


def outputs_figure(outputs: HeadOutputs, head: int, theme: str = "light") -> go.Figure:
    """Lengths and cosines of the heads’ outputs, and the vectors with their sum; ``head`` is highlighted."""
    colours = theme_of(theme)
    names = [str(one) for one in range(len(outputs.added))]
    rows = np.vstack([outputs.added, outputs.added.sum(axis=0) + outputs.bias])
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
    bars = go.Bar(
        x=names,
        y=np.linalg.norm(outputs.added, axis=1),
        marker={"color": [colours.accent if number == head else colours.hatch for number in range(len(names))]},
        customdata=cosines(rows)[-1, :-1],
        hovertemplate="head %{x}: length %{y:.3g}, cosine with the sum %{customdata:.2f}<extra></extra>",
    )
    hover = "heads %{y} and %{x}: cosine %{z:.2f}<extra></extra>"
    likeness = _heatmap(cosines(outputs.added), 1, hover, colours, "cosine", "top")
    values = rows.astype(np.float32)
    largest = float(np.quantile(np.abs(values), 0.999)) or 1.0
    hover = "%{y}, dimension %{x}: %{z:.4f}<extra></extra>"
    vectors = _heatmap(values, largest, hover, colours, "value", "bottom")
    figure.add_traces([bars, likeness, vectors], rows=[1, 1, 2], cols=[1, 2, 1])
    figure.update_annotations(font={"size": 12, "color": colours.faint})
    heading = (
        f"{literal(model_label(outputs.source.model))} · layer {outputs.layer} · what its heads "
        f"add to “{literal(outputs.query_label)}”"
    )
    return figure.update_layout(
        base_layout(
            colours,
            title=title(heading),
            margin={"l": 8, "r": 8, "t": 58, "b": 8},
            showlegend=False,
            bargap=0.3,
            xaxis=axis(colours, "head", type="category"),
            yaxis=axis(colours, "length", rangemode="tozero"),
            xaxis2=axis(colours, "head", **_ticks(names)),
            yaxis2=axis(colours, "head", autorange="reversed", **_ticks(names)),
            xaxis3=axis(colours, "dimension of the residual stream"),
            yaxis3=axis(colours, "", autorange="reversed", **_ticks([*(f"head {one}" for one in names), "sum"])),
        )
    )


def _heatmap(values: FloatArray, largest: float, hover: str, colours: Theme, name: str, anchor: str) -> go.Heatmap:
    """A heatmap of ±``largest``, its colour bar at the top or the bottom of the figure."""
    place = {"len": 0.42, "y": 1 if anchor == "top" else 0, "yanchor": anchor}
    return go.Heatmap(
        z=values,
        zmin=-largest,
        zmax=largest,
        colorscale=DIVERGING[colours.name],
        hovertemplate=hover,
        colorbar={"thickness": 10, "outlinewidth": 0, "title": {"text": name, "side": "right"}} | place,
    )


def _ticks(names: list[str]) -> dict[str, Any]:
    """A name for each row or column; of many only some, and the last."""
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
    strongest, total_length = int(lengths.argmax()), float(np.linalg.norm(outputs.added.sum(axis=0)))
    n_heads, width = outputs.mixed.shape
    apart = (
        f", less than the {lengths.sum():.3g} that their lengths add up to, because they pull in different directions"
        if total_length < 0.999 * lengths.sum()
        else ""
    )
    caption = (
        f"Each head mixes values of {width} dimensions; side by side they are "
        f"{n_heads} × {width} = {n_heads * width}, which W_O brings to the residual stream. Cut by "
        "head, W_O gives each head a matrix of its own, and the sum of what these give is the "
        f"same: here to a relative {outputs.error:.0e}. Head {strongest} adds most "
        f"(length {lengths[strongest]:.3g}); together they add {total_length:.3g}{apart}. The output "
        f"bias, which is no head’s, has length {np.linalg.norm(outputs.bias):.3g}."
    )
    return " ".join([caption, *cut(outputs.source.truncation)])


def _outputs(record: HeadOutputs, settings: InsideSettings, style: FigureStyle) -> SizedFigure:
    height = max(_HEIGHT, 2 * _ROW * len(record.added) + 160)
    figure = outputs_figure(record, settings.head, style.theme)
    return SizedFigure(figure, outputs_caption(record), _WIDTH, height, AXIS)


FIGURES = {"outputs": _outputs}
