"""Which query heads read which key/value head, in the ways to share beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from explorer.figures.style import STACKS, Theme, axis, base_layout, model_label, theme_of
from explorer.records import AttentionShape, Sharing

_GAP = 0.05  # of the width, between panels
_NUMBERED = 16  # query heads that each have their number
_QUERY, _KEY = 1.0, 0.0  # heights of the two rows


def sharing_figure(
    shape: AttentionShape, sharings: Sequence[Sharing], head: int = 0, theme: str = "light"
) -> go.Figure:
    """A panel for each way to share: query heads above, key/value heads below.

    Args:
        shape: of one stack.
        sharings: the ways, left to right.
        head: the query head that is accented in all of them.
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
        tail = "" if number == 0 else str(number + 1)
        _panel(figure, shape.shared(sharing.n_kv_heads), head, tail, colours)
        axes[f"xaxis{tail}"] = axis(
            colours,
            "",
            domain=[left, left + width],
            anchor=f"y{tail}",
            visible=False,
            range=[-0.7, shape.n_heads - 0.3],
            fixedrange=True,
        )
        axes[f"yaxis{tail}"] = axis(
            colours, "", domain=[0, 1], anchor=f"x{tail}", visible=False, range=[-0.45, 1.75], fixedrange=True
        )
        figure.add_annotation(
            text=_heading(sharing),
            x=left,
            y=1,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="top",
            showarrow=False,
            font={"size": 12, "color": colours.ink if sharing.own else colours.faint},
        )
    figure.update_layout(base_layout(colours, **axes, showlegend=False))
    return figure


def sharing_caption(model: str, shape: AttentionShape, sharings: Sequence[Sharing], head: int) -> str:
    """What a reader could paste under the figure."""
    own = next(sharing for sharing in sharings if sharing.own)
    others = [sharing for sharing in sharings if not sharing.own]
    as_if = ", ".join(f"{sharing.kind} ({sharing.n_kv_heads})" for sharing in others)
    drawn = f" Beside it the same layer as it would be with {as_if}." if others else ""
    read = shape.kv_head(head)
    same = [other for other in range(shape.n_heads) if shape.kv_head(other) == read]
    others_read = ", ".join(str(other) for other in same if other != head)
    if len(same) == 1:
        does = f"reads key/value head {read} alone"
    elif len(same) > _NUMBERED:
        does = f"shares key/value head {read} with {len(same) - 1} others"
    else:
        does = f"shares key/value head {read} with {others_read}"
    return (
        f"{model_label(model)}, {STACKS.get(shape.name, shape.name)}: {own.kind} attention, "
        f"{shape.n_heads} query heads (above) over {shape.n_kv_heads} key/value "
        f"{'head' if shape.n_kv_heads == 1 else 'heads'} (below) in each of {shape.n_layers} "
        f"layers; a line for each query head and what it reads. Head {head} {does}.{drawn} "
        "Vaswani et al. 2017 (multi-head), Shazeer 2019 (multi-query), Ainslie et al. 2023 "
        "(grouped)."
    )


def _heading(sharing: Sharing) -> str:
    """What stands above a panel."""
    count = f"{sharing.n_kv_heads} key/value head{'' if sharing.n_kv_heads == 1 else 's'}"
    whose = " · this model" if sharing.own else " · chosen" if sharing.chosen else ""
    return f"<b>{sharing.kind}</b> · {count}{whose}"


def _panel(figure: go.Figure, shape: AttentionShape, head: int, tail: str, colours: Theme) -> None:
    """Lines, query heads, key/value heads, and the chosen head above them."""
    group = shape.n_heads // shape.n_kv_heads
    middles = [group * kv + (group - 1) / 2 for kv in range(shape.n_kv_heads)]
    read = [shape.kv_head(query) for query in range(shape.n_heads)]
    palette = _palette(colours)
    on: dict[str, Any] = {"xaxis": f"x{tail}", "yaxis": f"y{tail}"}
    for colour in range(min(len(palette), shape.n_kv_heads)):
        heads = [query for query in range(shape.n_heads) if read[query] % len(palette) == colour]
        figure.add_trace(
            go.Scatter(
                x=[x for query in heads for x in (query, middles[read[query]], None)],
                y=[y for _ in heads for y in (_QUERY, _KEY, None)],
                mode="lines",
                line={"color": palette[colour], "width": 1},
                hoverinfo="skip",
                **on,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=[head, middles[read[head]]],
            y=[_QUERY, _KEY],
            mode="lines",
            hoverinfo="skip",
            line={"color": colours.accent, "width": 4},
            **on,
        )
    )
    size = max(4, min(14, 200 // shape.n_heads))
    rows = (
        (
            list(range(shape.n_heads)),
            _QUERY,
            read,
            "circle",
            head,
            "top center",
            [f"query head {query} reads key/value head {kv}" for query, kv in enumerate(read)],
        ),
        (
            middles,
            _KEY,
            list(range(shape.n_kv_heads)),
            "square",
            read[head],
            "bottom center",
            [_readers(kv, group) for kv in range(shape.n_kv_heads)],
        ),
    )
    for places, height, kv_heads, symbol, chosen, where, told in rows:
        figure.add_trace(
            go.Scatter(
                x=places,
                y=[height] * len(places),
                mode="markers+text",
                hovertext=told,
                text=_numbers(len(places), chosen),
                textposition=where,
                hoverinfo="text",
                textfont={"size": 10, "color": colours.ink},
                cliponaxis=False,
                marker={
                    "size": size,
                    "symbol": symbol,
                    "opacity": 1,
                    "color": [palette[kv % len(palette)] for kv in kv_heads],
                    "line": {
                        "color": colours.accent,
                        "width": [3 if number == chosen else 0 for number in range(len(places))],
                    },
                },
                **on,
            )
        )


def _readers(kv: int, group: int) -> str:
    first, last = kv * group, kv * group + group - 1
    heads = f"head {first}" if group == 1 else f"heads {first} to {last}"
    return f"key/value head {kv}, read by query {heads}"


def _numbers(count: int, chosen: int) -> list[str]:
    """Each mark's number; of many only the first, the last and the chosen."""
    if count <= _NUMBERED:
        told = set(range(count))
    else:
        told = {chosen} | {end for end in (0, count - 1) if abs(end - chosen) >= count / 12}
    return [str(number) if number in told else "" for number in range(count)]


def _palette(colours: Theme) -> list[str]:
    """The theme's colours, but for those that would pass for the accent."""
    accent = hex_to_rgb(colours.accent)
    return [
        colour
        for colour in colours.senses
        if sum(abs(a - b) for a, b in zip(hex_to_rgb(colour), accent, strict=True)) > 60
    ]
