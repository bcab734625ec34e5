"""The mask on and off, and how far right context moves a token, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go

from explorer.figures.caption import AXIS, cut
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import SEQUENTIAL, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import HeadMap, RightContext
from explorer.views.heads.heatmap.figure import heatmap_figure, sized_heatmap
from explorer.views.inside.mask import MaskSettings
from explorer.views.inside.mask.compute import Masks

_SIZE = 760, 420  # pixels, of the curves in a file
_DASHES = ("solid", "dash")


def other_figure(other: HeadMap, theme: str = "light", palette: str = SEQUENTIAL) -> go.Figure:
    """The map under the mask the model does not have, marked as a thought experiment."""
    figure = heatmap_figure(other, theme, palette=palette, stepped=False)
    change = "a causal mask added" if other.causal else "the mask taken away"
    figure.update_layout(
        title=title(f"Thought experiment: {change}") | {"automargin": False}, title_font_color=theme_of(theme).accent
    )
    return figure


def mask_caption(own: HeadMap, other: HeadMap, query: int, alone: bool = False) -> str:
    """What both maps show of one query; ``alone`` where the other map is not beside the model's own."""
    label = own.queries[query]
    seen, would = (f"{one.weights[query, query + 1 :].sum():.0%}" for one in (own, other))
    if own.causal:
        first = f"“{label}” sees nothing that comes after it"
        then = f"the same scores without the mask: {would} of its weight would go to later tokens"
    else:
        first = f"“{label}” puts {seen} of its weight on later tokens"
        then = "the same scores with a causal mask: that share goes to what stands before"
    maps = (
        f"{model_label(own.source.model)}, layer {own.layer}, head {own.head}: "
        f"in the model’s own map {first}. Here {then}."
        if alone
        else f"Left: the model’s own map; {first}. Right: {then}."
    )
    warning = "the model was not trained so, and its other layers would change as well."
    return " ".join([maps, f"Only this head’s softmax is recomputed: {warning}", *cut(own.source.truncation)])


def context_figure(curves: Sequence[RightContext], theme: str = "light") -> go.Figure:
    """One line per model: the cosine of a token with and without its right context."""
    colours = theme_of(theme)
    figure = go.Figure()
    for number, one in enumerate(curves):
        layers = list(range(len(one.cosines)))
        kind = "causal" if one.causal else "sees both ways"
        figure.add_trace(
            go.Scatter(
                x=[layer / (len(layers) - 1) for layer in layers],
                y=one.cosines,
                mode="lines+markers",
                customdata=layers,
                name=f"{literal(model_label(one.source.model))} ({kind})",
                line={"color": colours.senses[number], "dash": _DASHES[number % 2]},
                marker={"symbol": ("circle", "square")[number % 2], "size": 7},
                hovertemplate="layer %{customdata}: cosine %{y:.4f}<extra>%{fullData.name}</extra>",
            )
        )
    label = literal(curves[0].label) if curves else ""
    low = min(min((float(one.cosines.min()) for one in curves), default=0.0), 0.9) - 0.03
    return figure.update_layout(
        base_layout(
            colours,
            title=title(f"“{label}” with and without what comes after it"),
            xaxis=axis(colours, "depth: 0 before the first layer, 1 after the last"),
            yaxis=axis(colours, "cosine", range=[low, 1.02], showgrid=True, gridcolor=colours.line),
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
            margin={"l": 8, "r": 8, "t": 44, "b": 8},
        )
    )


def context_caption(curves: Sequence[RightContext]) -> str:
    """What a reader could paste under the figure."""
    parts = []
    for one in curves:
        model, least, layer = model_label(one.source.model), float(one.cosines.min()), int(one.cosines.argmin())
        parts.append(
            f"{model} is causal: whatever follows, “{one.label}” keeps its vector at every layer "
            f"(smallest cosine {least:.4f})."
            if one.causal
            else f"{model} reads both ways: what follows moves “{one.label}” to a cosine of {least:.2f} "
            f"with itself at layer {layer}."
        )
        parts += cut(one.source.truncation)
    return " ".join(parts)


def _own(record: Masks, _settings: MaskSettings, style: FigureStyle) -> SizedFigure:
    return sized_heatmap(record.own, False, style.palette or SEQUENTIAL, style.theme)


def _other(record: Masks, _settings: MaskSettings, style: FigureStyle) -> SizedFigure:
    """The thought experiment, as large as its map."""
    palette = style.palette or SEQUENTIAL
    return replace(
        sized_heatmap(record.other, False, palette, style.theme),
        figure=other_figure(record.other, style.theme, palette),
        caption=mask_caption(record.own, record.other, record.query, alone=True),
    )


def _late(record: Masks, _settings: MaskSettings, style: FigureStyle) -> SizedFigure:
    curves = record.curves()
    return SizedFigure(context_figure(curves, style.theme), context_caption(curves), *_SIZE, AXIS)


FIGURES = {"own": _own, "other": _other, "late": _late}
