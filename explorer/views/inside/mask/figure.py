"""The mask on and off, and how far later context moves a token, layer by layer."""

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
    """What both maps show of one query, and what they do not.

    Args:
        own: the model's own map.
        other: the same under the other mask.
        query: the token that is followed.
        alone: the other map stands by itself, not right of the model's own.
    """
    label = own.queries[query]
    seen, would = (f"{one.weights[query, query + 1 :].sum():.0%}" for one in (own, other))
    if own.causal:
        first = f"“{label}” sees nothing that comes after it"
        then = f"the same scores without the mask: {would} of its weight would go to later tokens"
    else:
        first = f"“{label}” puts {seen} of its weight on later tokens"
        then = "the same scores with a causal mask: that share goes to what stands before"
    if alone:
        where = f"{model_label(own.source.model)}, layer {own.layer}, head {own.head}"
        said = f"{where}: in the model’s own map {first}. Here {then}."
    else:
        said = f"Left: the model’s own map; {first}. Right: {then}."
    alike = (
        "Only this head’s softmax is taken anew: the model was not trained so, and its other "
        "layers would change as well."
    )
    return " ".join([said, alike, *cut(own.source.truncation)])


def context_figure(curves: Sequence[RightContext], theme: str = "light") -> go.Figure:
    """A line a model: how alike a token is with and without what comes after it."""
    colours = theme_of(theme)
    figure = go.Figure()
    for number, one in enumerate(curves):
        kind = "causal" if one.causal else "sees both ways"
        figure.add_trace(
            go.Scatter(
                x=[layer / (len(one.cosines) - 1) for layer in range(len(one.cosines))],
                y=one.cosines,
                mode="lines+markers",
                customdata=list(range(len(one.cosines))),
                name=f"{literal(model_label(one.source.model))} ({kind})",
                line={"color": colours.senses[number], "dash": _DASHES[number % 2]},
                marker={"symbol": ("circle", "square")[number % 2], "size": 7},
                hovertemplate="layer %{customdata}: cosine %{y:.4f}<extra>%{fullData.name}</extra>",
            )
        )
    label = literal(curves[0].label) if curves else ""
    least = min((float(one.cosines.min()) for one in curves), default=0.0)
    figure.update_layout(
        base_layout(
            colours,
            title=title(f"“{label}” with and without what comes after it"),
            xaxis=axis(colours, "depth: 0 before the first layer, 1 after the last"),
            yaxis=axis(colours, "cosine", range=[min(least, 0.9) - 0.03, 1.02], showgrid=True, gridcolor=colours.line),
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
            margin={"l": 8, "r": 8, "t": 44, "b": 8},
        )
    )
    return figure


def context_caption(curves: Sequence[RightContext]) -> str:
    """The figure in words."""
    said = []
    for one in curves:
        least = float(one.cosines.min())
        if one.causal:
            said.append(
                f"{model_label(one.source.model)} is causal: whatever follows, “{one.label}” keeps its "
                f"vector at every layer (smallest cosine {least:.4f})."
            )
        else:
            layer = int(one.cosines.argmin())
            said.append(
                f"{model_label(one.source.model)} reads both ways: what follows moves “{one.label}” to a "
                f"cosine of {least:.2f} with itself at layer {layer}."
            )
        said += cut(one.source.truncation)
    return " ".join(said)


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
