"""Which query heads read which key/value head, with the possible sharings side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from explorer.figures.style import STACKS, Theme, axis, base_layout, model_label, theme_of
from explorer.records import AttentionShape, Sharing

_GAP = 0.05  # of the width, between panels
_NUMBERED = 16  # query heads that are all numbered
_QUERY, _KEY = 1.0, 0.0  # heights of the two rows


def sharing_figure(
    shape: AttentionShape, sharings: Sequence[Sharing], head: int = 0, theme: str = "light"
) -> go.Figure:
    """A panel for each sharing, left to right: query heads above, key/value heads below.

    Args:
        shape: of one stack.
        sharings: how the query heads share key/value heads.
        head: the query head that is highlighted in all panels.
        theme: "light" or "dark".

    Raises:
        ValueError: a head the stack does not have, or an unknown theme.
    """
    if not 0 <= head < shape.n_heads:
        raise ValueError(f"head {head} is out of range: heads are 0 to {shape.n_heads - 1}")
    colours = theme_of(theme)
    figure = go.Figure()
    axes: dict[str, Any] = {}
    width = (1 - _GAP * (len(sharings) - 1)) / len(sharings)
    for number, sharing in enumerate(sharings):
        left = number * (width + _GAP)
        suffix = "" if number == 0 else str(number + 1)
        _add_panel(figure, shape.shared(sharing.n_kv_heads), head, suffix, colours)
        x = {"domain": [left, left + width], "anchor": f"y{suffix}", "range": [-0.7, shape.n_heads - 0.3]}
        y = {"domain": [0, 1], "anchor": f"x{suffix}", "range": [-0.45, 1.75]}
        axes[f"xaxis{suffix}"] = axis(colours, "", visible=False, fixedrange=True, **x)
        axes[f"yaxis{suffix}"] = axis(colours, "", visible=False, fixedrange=True, **y)
        whose = " · this model" if sharing.own else " · chosen" if sharing.chosen else ""
        figure.add_annotation(
            text=f"<b>{sharing.kind}</b> · {kv_heads_text(sharing.n_kv_heads)}{whose}",
            x=left,
            y=1,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="top",
            showarrow=False,
            font={"size": 12, "color": colours.ink if sharing.own else colours.faint},
        )
    return figure.update_layout(base_layout(colours, **axes, showlegend=False))


def sharing_caption(model: str, shape: AttentionShape, sharings: Sequence[Sharing], head: int) -> str:
    """What a reader could paste under the figure."""
    own = next(sharing for sharing in sharings if sharing.own)
    as_if = ", ".join(f"{sharing.kind} ({sharing.n_kv_heads})" for sharing in sharings if not sharing.own)
    kv_head = shape.kv_head(head)
    others = [str(other) for other in range(shape.n_heads) if shape.kv_head(other) == kv_head and other != head]
    if not others:
        what = f"reads key/value head {kv_head} alone"
    else:
        names = f"{len(others)} others" if len(others) >= _NUMBERED else ", ".join(others)
        what = f"shares key/value head {kv_head} with {names}"
    return (
        f"{model_label(model)}, {STACKS.get(shape.name, shape.name)}: {own.kind} attention, "
        f"{shape.n_heads} query heads (above) over {kv_heads_text(shape.n_kv_heads)} (below) in each of "
        f"{shape.n_layers} layers; a line for each query head and what it reads. Head {head} {what}."
        f"{f' Beside it the same layer as it would be with {as_if}.' if as_if else ''} "
        "Vaswani et al. 2017 (multi-head), Shazeer 2019 (multi-query), Ainslie et al. 2023 (grouped)."
    )


def kv_heads_text(count: int) -> str:
    """A number of key/value heads in words."""
    return f"{count} key/value head{'' if count == 1 else 's'}"


def _add_panel(figure: go.Figure, shape: AttentionShape, head: int, suffix: str, colours: Theme) -> None:
    """Lines, the highlighted one above them, query heads and key/value heads."""
    group = shape.n_heads // shape.n_kv_heads
    middles = [group * kv + (group - 1) / 2 for kv in range(shape.n_kv_heads)]
    kv_heads = [shape.kv_head(query) for query in range(shape.n_heads)]
    palette = _palette(colours)
    axes: dict[str, Any] = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
    lines = []
    for colour in range(min(len(palette), shape.n_kv_heads)):
        queries = [query for query, kv in enumerate(kv_heads) if kv % len(palette) == colour]
        x = [x for query in queries for x in (query, middles[kv_heads[query]], None)]
        lines.append((x, [_QUERY, _KEY, None] * len(queries), {"color": palette[colour], "width": 1}))
    lines.append(([head, middles[kv_heads[head]]], [_QUERY, _KEY], {"color": colours.accent, "width": 4}))
    for x, y, line in lines:
        figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", **axes))
    query_hovers = [f"query head {query} reads key/value head {kv}" for query, kv in enumerate(kv_heads)]
    key_hovers = [_readers(kv, group) for kv in range(shape.n_kv_heads)]
    rows = (
        (list(range(shape.n_heads)), _QUERY, kv_heads, "circle", head, "top center", query_hovers),
        (middles, _KEY, list(range(shape.n_kv_heads)), "square", kv_heads[head], "bottom center", key_hovers),
    )
    for places, height, colour_of, symbol, chosen, position, hovers in rows:
        figure.add_trace(
            go.Scatter(
                x=places,
                y=[height] * len(places),
                mode="markers+text",
                hovertext=hovers,
                text=_numbers(len(places), chosen),
                textposition=position,
                hoverinfo="text",
                textfont={"size": 10, "color": colours.ink},
                cliponaxis=False,
                marker={
                    "size": max(4, min(14, 200 // shape.n_heads)),
                    "symbol": symbol,
                    "opacity": 1,
                    "color": [palette[kv % len(palette)] for kv in colour_of],
                    "line": {"color": colours.accent, "width": [3 if i == chosen else 0 for i in range(len(places))]},
                },
                **axes,
            )
        )


def _readers(kv: int, group: int) -> str:
    first, last = kv * group, kv * group + group - 1
    heads = f"head {first}" if group == 1 else f"heads {first} to {last}"
    return f"key/value head {kv}, read by query {heads}"


def _numbers(count: int, chosen: int) -> list[str]:
    """Each mark's number; of many only the first, the last and the chosen."""
    labelled = {chosen} | {end for end in (0, count - 1) if abs(end - chosen) >= count / 12}
    return [str(number) if count <= _NUMBERED or number in labelled else "" for number in range(count)]


def _palette(colours: Theme) -> list[str]:
    """The theme's colours without those that look like the accent."""
    accent = hex_to_rgb(colours.accent)
    return [
        colour
        for colour in colours.senses
        if sum(abs(a - b) for a, b in zip(hex_to_rgb(colour), accent, strict=True)) > 60
    ]
