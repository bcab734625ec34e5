"""Key/value cache, attention maps and operations by context length; numbers with units."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.measures.cost import CARDS, MOST_TOKENS
from explorer.figures.caption import AXIS
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import Theme, axis, base_layout, model_label, theme_of, title
from explorer.records import CacheCost, Costs, Growth
from explorer.views.inside.cost import CostViewSettings
from explorer.views.inside.cost.sharing_figure import kv_heads_text, sharing_caption, sharing_figure

GB = 10**9
_FROM = 1_000  # tokens where the curves of the cache begin, or at the chosen context length if that is less
_MAPS_FROM = 10  # the same for maps and operations: maps are the smaller ones for short texts
_UNITS = ("", "k", "M", "G", "T", "P", "E", "Z")
_KINDS = {"multi-head": 0, "grouped": 2, "multi-query": 3}  # of the theme's colours
_DASHES = {"multi-head": "dash", "grouped": "solid", "multi-query": "dot"}

_WIDTH, _HEIGHT = 680, 460  # pixels, in a file
_PANEL, _ROW = 260, 190  # pixels of one way to share


def with_unit(number: float, unit: str) -> str:
    """A number with three digits and a decimal prefix: 2_147_483_648 B is "2.15 GB"."""
    scale = 0
    while scale + 1 < len(_UNITS) and abs(number) >= 999.5:
        number, scale = number / 1000, scale + 1
    return f"{number:{'.3g' if scale else 'g'}} {_UNITS[scale]}{unit}"


def sharing_name(cache: CacheCost) -> str:
    """The name of a sharing in a legend or a table."""
    sharing = cache.sharing
    return f"{sharing.kind}, {sharing.n_kv_heads}{' (this model)' if sharing.own else ''}"


def cache_figure(costs: Costs, theme: str = "light") -> go.Figure:
    """Cache bytes by context length on two log axes, cards' memory as horizontal lines."""
    colours = theme_of(theme)
    settings, figure = costs.settings, go.Figure()
    what = "Key/value cache" if costs.shape.keeps_cache else "Keys and values, if all were kept"
    for cache in costs.caches:
        kind, width = cache.sharing.kind, 3.5 if cache.sharing.chosen else 1.75
        colour = colours.senses[_KINDS[kind]]
        figure.add_trace(_curve(costs, cache.curve, sharing_name(cache), "B", colour, _DASHES[kind], width))
    figure.add_trace(_mark(settings.n_tokens, costs.chosen.total, "B", colours))
    _add_sizes(figure, costs, colours)
    first = _first(costs, _FROM)
    low = min(costs.weights, *(cache.curve[first] for cache in costs.caches)) / 1.5
    high = 2 * max(CARDS[-1][1] * GB, *(cache.curve[-1] for cache in costs.caches))
    return figure.update_layout(
        base_layout(
            colours,
            title=title(f"{what} · batch {settings.batch:,} · {settings.precision}"),
            xaxis=_length_axis(costs, _FROM, colours),
            yaxis=_log_axis(colours, "bytes", "B", low, high),
            legend=_legend(colours, 1.0),
        )
    )


def operations_figure(costs: Costs, theme: str = "light") -> go.Figure:
    """Left: bytes of all maps and of the vectors a capture keeps. Right: operations of attention."""
    colours = theme_of(theme)
    figure = go.Figure()
    stored = [
        ("all maps: N²", costs.maps, colours.senses[1], "solid"),
        ("q, k, v: N", costs.vectors, colours.senses[0], "dash"),
    ]
    operations = [("all N tokens: N²", costs.forward, colours.senses[3], "solid")]
    if costs.step is not None:
        operations.append(("one more, cached: N", costs.step, colours.senses[2], "dash"))
    left = _panel(figure, costs, stored, ("bytes of one text", "B", "B"), "", colours)
    right = _panel(figure, costs, operations, ("operations of one text (FLOP)", "FLOP", ""), "2", colours)
    return figure.update_layout(base_layout(colours, title=title("Maps and operations · batch 1"), **left, **right))


def _panel(
    figure: go.Figure,
    costs: Costs,
    curves: list[tuple[str, Growth, str, str]],
    units: tuple[str, str, str],
    suffix: str,
    colours: Theme,
) -> dict[str, Any]:
    """Add the curves of one of two panels; its part of the layout.

    ``curves`` are name, growth, colour and dash; ``units`` the axis's title, its unit, and the
    unit at the ticks.
    """
    what, unit, tick_unit = units
    axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    for name, growth, colour, dash in curves:
        curve = _curve(costs, growth.curve, name, unit, colour, dash)
        figure.add_trace(curve.update(legend=f"legend{suffix}", **axes))
        figure.add_trace(_mark(costs.settings.n_tokens, growth.total, unit, colours).update(axes))
    domain = [0.59, 1.0] if suffix else [0.0, 0.41]
    first = _first(costs, _MAPS_FROM)
    low = min(growth.curve[first] for _, growth, _, _ in curves) / 8
    high = 1.5 * max(growth.curve[-1] for _, growth, _, _ in curves)
    return {
        f"xaxis{suffix}": _length_axis(costs, _MAPS_FROM, colours) | {"domain": domain, "anchor": f"y{suffix}"},
        f"yaxis{suffix}": _log_axis(colours, what, tick_unit, low, high) | {"anchor": f"x{suffix}"},
        f"legend{suffix}": _legend(colours, domain[1]),
    }


def cost_caption(costs: Costs) -> str:
    """What a reader could paste under the figures of cache and operations."""
    shape, settings, cache = costs.shape, costs.settings, costs.chosen
    name, formula = model_label(shape.model), "2 · layers · key/value heads · d_head · tokens · batch · bytes a number"
    parts = [
        f"{name}, {settings.n_tokens:,} tokens, batch {settings.batch:,}, {settings.precision}: with "
        f"{cache.sharing.kind} attention ({kv_heads_text(cache.sharing.n_kv_heads)}) keys and values take "
        f"{with_unit(cache.total, 'B')} ({formula}; d_head {shape.cached[0].d_head}), the weights "
        f"{with_unit(costs.weights, 'B')}."
    ]
    if not shape.keeps_cache:
        parts.append(
            f"{name} is an encoder: it reads all tokens at once and keeps no cache; these are "
            "its keys and values if all layers’ were kept."
        )
    if len(shape.cached) > 1:
        parts.append(
            "Counted are the decoder’s own cache and that of cross attention, which holds the "
            "encoder’s tokens, as many as the decoder’s."
        )
    if any(stack.windows for stack in shape.cached):
        parts.append("A layer with a sliding window keeps its window’s tokens only.")
    if shape.max_tokens is not None and settings.n_tokens > shape.max_tokens:
        parts.append(f"It reads at most {shape.max_tokens:,} tokens: this is what more would take.")
    parts.append(
        f"One text’s maps take {with_unit(costs.maps.total, 'B')} in float32 and grow with N²; the "
        f"queries, keys and values, {with_unit(costs.vectors.total, 'B')} in {shape.dtype}, grow with N."
    )
    if shape.method == "eager":
        parts.append("This model is captured eagerly, though: its maps themselves are kept.")
    masked = f" ({with_unit(costs.needed, 'FLOP')} in the cells that the mask leaves)"
    step = f", {with_unit(costs.step.total, 'FLOP')} for one more token with a cache" if costs.step else ""
    parts.append(
        "Operations are those of QKᵀ and A·V, a multiply-add being two: "
        f"{with_unit(costs.forward.total, 'FLOP')} over all cells of a pass"
        f"{masked if costs.needed != costs.forward.total else ''}{step}; sharing changes none of them. "
        "Cards’ memory as their makers state it, a GB being 10⁹ bytes."
    )
    return " ".join(parts)


def _curve(costs: Costs, curve: Any, name: str, unit: str, colour: str, dash: str, width: float = 2.5) -> go.Scatter:
    return go.Scatter(
        x=costs.lengths,
        y=curve,
        mode="lines",
        name=name,
        line={"color": colour, "width": width, "dash": dash},
        text=[with_unit(value, unit) for value in curve.tolist()],
        hovertemplate=f"%{{x:,}} tokens: %{{text}}<extra>{name}</extra>",
    )


def _mark(n_tokens: int, value: float, unit: str, colours: Theme) -> go.Scatter:
    """The value at the chosen context length."""
    text = with_unit(value, unit)
    return go.Scatter(
        x=[n_tokens],
        y=[value],
        mode="markers+text",
        text=[text],
        showlegend=False,
        textposition="bottom right" if n_tokens < 0.1 * MOST_TOKENS else "top left",
        textfont={"size": 12, "color": colours.accent},
        marker={"size": 9, "color": colours.accent},
        hovertemplate=f"{n_tokens:,} tokens: {text}<extra></extra>",
    )


def _add_sizes(figure: go.Figure, costs: Costs, colours: Theme) -> None:
    """Cards and the model's weights as horizontal lines, each with its name."""
    # Neighbours are close on a log axis: the names of cards alternate, that of the weights is apart.
    sizes = [
        (f"{name} {size} GB", size * GB, "dot", 0.24 if number % 2 else 0.01)
        for number, (name, size) in enumerate(CARDS)
    ]
    weights = f"weights in {costs.settings.precision}: {with_unit(costs.weights, 'B')}"
    for name, size, dash, left in [*sizes, (weights, costs.weights, "longdash", 0.64)]:
        line = {"color": colours.faint, "width": 1, "dash": dash}
        figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=size, y1=size, line=line, layer="below")
        figure.add_annotation(
            text=name,
            xref="paper",
            x=left,
            y=float(np.log10(size)),
            xanchor="left",
            yanchor="middle",
            showarrow=False,
            borderpad=0,
            bgcolor=colours.paper,
            font={"size": 10, "color": colours.faint},
        )


def _first(costs: Costs, shortest: int) -> int:
    """The index of the first context length that is drawn."""
    return int(np.argmax(costs.lengths >= min(shortest, costs.settings.n_tokens)))


def _length_axis(costs: Costs, shortest: int, colours: Theme) -> dict[str, Any]:
    low = costs.lengths[_first(costs, shortest)] / 1.1
    return _log_axis(colours, "context length (tokens)", "", low, 1.3 * MOST_TOKENS)


def _log_axis(colours: Theme, what: str, unit: str, low: float, high: float) -> dict[str, Any]:
    decades = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    step = max(1, len(decades) // 6)
    ticks = [10.0**decade for decade in decades[::step]]
    return axis(
        colours,
        what,
        type="log",
        range=[np.log10(low), np.log10(high)],
        showline=True,
        ticks="outside",
        ticklen=3,
        tickvals=ticks,
        ticktext=[with_unit(tick, unit) for tick in ticks],
    )


def _legend(colours: Theme, right: float) -> dict[str, Any]:
    """Below the curves, which all rise to the right."""
    return {
        "x": right,
        "y": 0.01,
        "xanchor": "right",
        "yanchor": "bottom",
        "font": {"size": 11, "color": colours.ink},
        "bgcolor": "rgba(0,0,0,0)",
    }


def _cache(record: Costs, _settings: CostViewSettings, style: FigureStyle) -> SizedFigure:
    return SizedFigure(cache_figure(record, style.theme), cost_caption(record), _WIDTH, _HEIGHT, AXIS)


def _operations(record: Costs, _settings: CostViewSettings, style: FigureStyle) -> SizedFigure:
    return SizedFigure(operations_figure(record, style.theme), cost_caption(record), _WIDTH + 120, _HEIGHT, AXIS)


def _heads(record: Costs, settings: CostViewSettings, style: FigureStyle) -> SizedFigure:
    stack, sharings = record.shape.cached[0], [cache.sharing for cache in record.caches]
    figure = sharing_figure(stack, sharings, settings.head, style.theme)
    caption = sharing_caption(record.source.model, stack, sharings, settings.head)
    return SizedFigure(figure, caption, _PANEL * len(sharings), _ROW, fixed=True)


FIGURES = {"cache": _cache, "operations": _operations, "heads": _heads}
