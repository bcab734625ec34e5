"""The pull of a head: arrows from a word's vector, and how far each head moves it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.planes import component_axis, plane_layout
from explorer.figures.style import Theme, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import Arrow, Pull, PullPlane, WordStudy
from explorer.records.pull import BIAS, KINDS
from explorer.views.embeddings.pull import PullSettings
from explorer.views.embeddings.pull.compute import WordPull

LABELLED = 8  # arrows that carry their token's name
_APART = 0.15  # of the longest arrow: how far a named tip is from the word and other named tips

# How the sum enters the residual stream.
_RESIDUALS = {
    "pre": "It is added to the residual stream as it is (the norm stands before attention)",
    "post": "It is added to the residual stream, and then the sum is normalised: all is shown before that norm",
    "inner": "The model normalises what all heads give before it adds it: arrows are before that "
    "norm, and where the word stands after it is not drawn",
    "parallel": "It is added to the residual stream together with what the MLP gives, which is not drawn",
    "unknown": "Where a norm stands in this model is not known here: where the word stands after "
    "attention is not drawn",
}


def head_label(pulled: Pull) -> str:
    """The head, or "all heads"."""
    return "all heads" if pulled.head is None else f"head {pulled.head}"


def pull_figure(study: WordStudy, pulled: Pull, plane: PullPlane, times: int = 1, theme: str = "light") -> go.Figure:
    """Arrows from the word's vector, a token each, and their sum.

    Arrows are drawn ``times`` as long as they are.

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    figure = go.Figure()
    figure.add_traces(_places(study, plane, colours))
    start = plane.points[plane.place]
    named = _named(plane)
    for kind in (*KINDS, BIAS):
        members = [arrow for arrow in plane.arrows if arrow.kind == kind]
        if members:
            figure.add_trace(_arrows(members, start, times, _colour(kind, colours), kind))
    figure.add_trace(_names(named, start, times, colours))
    figure.add_trace(_sum(pulled, plane, start, times, colours))
    if pulled.residual in ("pre", "post", "parallel"):
        figure.add_trace(_after(pulled, plane, start, colours))
    longer = f" · arrows ×{times}" if times > 1 else ""
    first, second = plane.explained_variance
    figure.update_layout(
        plane_layout(
            colours,
            f"Pull on “{literal(study.word)}”, sentence {pulled.occurrence.sentence + 1} · "
            f"{literal(model_label(study.model))} · layer {pulled.layer} · {head_label(pulled)}{longer}",
            xaxis=component_axis(colours, 1, first),
            yaxis=component_axis(colours, 2, second, scaleanchor="x", scaleratio=1),
        )
    )
    return figure


def pull_caption(study: WordStudy, pulled: Pull, plane: PullPlane, times: int = 1) -> str:
    """What a reader could paste under the figure."""
    of = "summed over the layer’s heads, and the output bias" if pulled.head is None else f"in head {pulled.head}"
    total = plane.total
    before = float(np.linalg.norm(pulled.before))
    parts = [
        f"Arrows: each token’s A·v·W_O at “{study.word}” in “{pulled.occurrence.text}”, "
        f"layer {pulled.layer} of {model_label(study.model)}, {of}; the bold one is their sum.",
        f"The sum is {total.length:.3g} long, the word’s vector {before:.3g}"
        + (f"; this plane shows {total.seen:.0%} of the sum." if total.seen is not None else "."),
    ]
    if times > 1:
        parts.append(f"Arrows are drawn {times} times their length; points are where they are.")
    if pulled.occurrence.pieces > 1:
        parts.append(f"Weights and arrows are means over the word’s {pulled.occurrence.pieces} pieces.")
    if not pulled.allowed.all():
        parts.append("Tokens after the word cannot act on it and have no arrow.")
    parts.append(f"{_RESIDUALS[pulled.residual]}.")
    parts.append(f"Plane: {plane.fit}; its axes keep {plane.explained_variance.sum():.0%} of that variance.")
    parts += [f"Note: {warning}." for warning in plane.warnings]
    return " ".join(parts)


def heads_figure(pulled: Pull, plane: PullPlane, theme: str = "light") -> go.Figure:
    """How far each head moves the word: a bar each, the part in the plane filled."""
    colours = theme_of(theme)
    numbers = list(range(len(plane.heads)))
    chosen = [colours.accent if n == pulled.head else colours.faint for n in numbers]
    figure = go.Figure(
        [
            go.Bar(
                x=numbers,
                y=plane.heads,
                marker={"color": chosen, "opacity": 0.35},
                customdata=plane.heads_seen,
                width=0.8,
                hovertemplate="head %{x}<br>moves the word by %{y:.3g}<br>"
                "in the plane %{customdata:.3g}<extra></extra>",
            ),
            go.Bar(x=numbers, y=plane.heads_seen, marker={"color": chosen}, width=0.8, hoverinfo="skip"),
        ]
    )
    figure.update_layout(
        base_layout(
            colours,
            barmode="overlay",
            showlegend=False,
            title=title(f"Layer {pulled.layer}: how far each head moves it (filled: seen)"),
            xaxis=axis(colours, "head · click one", tickmode="array", tickvals=numbers[:: max(1, len(numbers) // 12)]),
            yaxis=axis(colours, "length", nticks=4, rangemode="tozero"),
            margin={"l": 8, "r": 8, "t": 30, "b": 8},
        )
    )
    return figure


def _colour(kind: str, colours: Theme) -> str:
    return colours.senses[(*KINDS, BIAS).index(kind)]


def _places(study: WordStudy, plane: PullPlane, colours: Theme) -> list[go.Scatter]:
    """The other occurrences and the pulled one's static vector, faint; the pulled one."""
    others = [i for i in range(len(plane.points)) if i != plane.place]
    hover = [f"{study.occurrences[i].sentence + 1} · {literal(study.occurrences[i].sense)}" for i in others]
    x, y = plane.points[plane.place]
    static = plane.static[[plane.place]]
    return [
        go.Scatter(
            x=plane.points[others, 0],
            y=plane.points[others, 1],
            mode="markers+text",
            name="other sentences",
            showlegend=False,
            text=[str(study.occurrences[i].sentence + 1) for i in others],
            textposition="top center",
            textfont={"size": 11, "color": colours.faint},
            marker={"size": 10, "color": colours.line, "line": {"width": 1, "color": colours.faint}},
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            cliponaxis=False,
        ),
        go.Scatter(
            x=static[:, 0],
            y=static[:, 1],
            mode="markers+text",
            name="static vector",
            text=["static"],
            textposition="bottom center",
            showlegend=False,
            textfont={"size": 12, "color": colours.faint},
            marker={"size": 14, "symbol": "star", "color": colours.faint},
            hovertemplate="static vector<extra></extra>",
            cliponaxis=False,
        ),
        go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            name="the word before",
            marker={"size": 14, "color": colours.ink},
            hovertemplate="the word before this layer’s attention<extra></extra>",
            cliponaxis=False,
        ),
    ]


def _named(plane: PullPlane) -> list[Arrow]:
    """The strongest arrows whose tips stand well apart, from the word too."""
    tips = [np.zeros(2)]
    named: list[Arrow] = []
    least = _APART * max((math.hypot(arrow.x, arrow.y) for arrow in plane.arrows), default=0)
    for arrow in plane.arrows:
        tip = np.array([arrow.x, arrow.y])
        if len(named) < LABELLED and np.linalg.norm(np.array(tips) - tip, axis=1).min() > least:
            tips.append(tip)
            named.append(arrow)
    return named


def _arrows(members: Sequence[Arrow], start: np.ndarray, times: int, colour: str, kind: str) -> go.Scatter:
    """Arrows of one kind in one trace: start, end, gap."""
    xs, ys, hover = [], [], []
    for arrow in members:
        xs += [start[0], start[0] + times * arrow.x, None]
        ys += [start[1], start[1] + times * arrow.y, None]
        hover += ["", _hover(arrow), ""]
    return go.Scatter(
        x=xs,
        y=ys,
        mode="lines+markers",
        name=kind,
        line={"width": 1.5, "color": colour},
        marker=_arrow_marker([0, 8, 0] * len(members), colour),
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
    )


def _arrow_marker(sizes: list[int], colour: str) -> dict[str, Any]:
    shape = {"symbol": "arrow", "angleref": "previous", "line": {"width": 0}}
    return {**shape, "size": sizes, "color": colour, "opacity": 1}


def _names(named: Sequence[Arrow], start: np.ndarray, times: int, colours: Theme) -> go.Scatter:
    """Names at the tips, in a trace of their own: plotly loses some in one with gaps."""
    return go.Scatter(
        x=[start[0] + times * arrow.x for arrow in named],
        y=[start[1] + times * arrow.y for arrow in named],
        mode="text",
        name="names",
        showlegend=False,
        hoverinfo="skip",
        text=[literal(arrow.label) for arrow in named],
        textposition=[_outside(arrow) for arrow in named],
        textfont={"size": 12, "color": [_colour(arrow.kind, colours) for arrow in named]},
        cliponaxis=False,
    )


def _sum(pulled: Pull, plane: PullPlane, start: np.ndarray, times: int, colours: Theme) -> go.Scatter:
    total = plane.total
    return go.Scatter(
        x=[start[0], start[0] + times * total.x],
        y=[start[1], start[1] + times * total.y],
        mode="lines+markers",
        name=f"sum: {head_label(pulled)}",
        line={"width": 4, "color": colours.ink},
        marker=_arrow_marker([0, 16], colours.ink),
        customdata=["", _hover(total)],
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
    )


def _after(pulled: Pull, plane: PullPlane, start: np.ndarray, colours: Theme) -> go.Scatter:
    """Where the word stands with what all heads give, at its own length."""
    before_norm = ", before the norm" if pulled.residual == "post" else ""
    return go.Scatter(
        x=[start[0] + plane.attention.x],
        y=[start[1] + plane.attention.y],
        mode="markers",
        name="the word after",
        marker={"size": 14, "symbol": "circle-open", "color": colours.ink, "line": {"width": 2, "color": colours.ink}},
        hovertemplate=f"the word after all heads of this layer’s attention{before_norm}, true to scale<extra></extra>",
        cliponaxis=False,
    )


def _outside(arrow: Arrow) -> str:
    """A label's place beyond the tip."""
    if abs(arrow.x) > abs(arrow.y):
        return "middle right" if arrow.x > 0 else "middle left"
    return "top center" if arrow.y > 0 else "bottom center"


def _hover(arrow: Arrow) -> str:
    """An arrow's numbers, a line each."""

    def written(value: float | None, form: str = ".3g") -> str:
        return "–" if value is None else format(value, form)

    lines = [f"<b>{literal(arrow.label)}</b> · {arrow.kind}"]
    if arrow.weight is not None:
        lines.append(f"weight A {written(arrow.weight)} · ‖v W_O‖ {written(arrow.value_norm)}")
    lines.append(f"length {written(arrow.length)}, in this plane {written(arrow.seen, '.0%')} of it")
    if arrow.kind != "the sum":
        lines.append(
            f"cosine with the sum {written(arrow.cosine, '.2f')} · its part of the sum {written(arrow.share, '.0%')}"
        )
    return "<br>".join(lines)


def _arrows_in_file(record: WordPull, _settings: PullSettings, style: FigureStyle) -> SizedFigure:
    """The arrows, what their colours mean above them."""
    of = record.study, record.pulled, record.plane, record.times
    figure = pull_figure(*of, style.theme)
    figure.update_layout(legend={"y": 1.01, "yref": "paper", "yanchor": "bottom"}, margin={"t": 84})
    return SizedFigure(figure, pull_caption(*of), 900, 640, 48)


def _heads(record: WordPull, _settings: PullSettings, style: FigureStyle) -> SizedFigure:
    """How far each head moves the word."""
    study, pulled, plane = record.study, record.pulled, record.plane
    figure = heads_figure(pulled, plane, style.theme)
    figure.update_xaxes(title_text="head")
    caption = (
        f"Length of what each head of layer {pulled.layer} of {model_label(study.model)} gives "
        f"“{study.word}” in “{pulled.occurrence.text}”, in the full space; filled: of it in the "
        f"plane. Plane: {plane.fit}."
    )
    return SizedFigure(figure, caption, max(480, 28 * len(plane.heads)), 320, 40)


FIGURES = {"arrows": _arrows_in_file, "heads": _heads}
