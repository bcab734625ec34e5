"""What a word means now: the words nearest its static vector, and those read at each layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import Theme, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import FloatArray, Meaning, Reading
from explorer.views.embeddings.meaning import MeaningSettings

_ROW_HEIGHT = 19  # pixels that a layer's words need
_AROUND = 196  # pixels of title, static words, legend, axes
_WIDTH = 1100  # of a file, in pixels
_LONGEST = 12  # characters of a word in a cell
# Where the words are, and the curve of ranks beside them, in shares of the width.
_WORDS, _RANKS = (0.0, 0.74), (0.77, 0.98)
_BLUE = {"light": "#9cc7e8", "dark": "#1d5f92"}  # under the ink of the words
_READ_BY = {
    "next": "Read by the model’s own final norm and unembedding (logit lens, nostalgebraist "
    "2020): what comes next after the word, as the model would predict if its blocks ended there",
    "masked": "Read by the model’s own masked-language-model head (logit lens, nostalgebraist "
    "2020): what stands in the word’s place, which is not masked",
    "static": "Read by static vectors, with no part of the model: the words whose static vectors "
    "have the largest cosine with the state",
}


def meaning_figure(meaning: Meaning, theme: str = "light", layer: int | None = None) -> go.Figure:
    """The words as a table of shades, layers down, the row of ``layer`` framed, with the word's own ranks."""
    colours = theme_of(theme)
    reading = meaning.reading
    depth = len(reading.labels)
    plot_height = panel_height(meaning) - 100
    top, below = 1 - 42 / plot_height, 1 - 76 / plot_height  # the static words; the legend; the layers
    figure = go.Figure([_nearest(meaning, colours), _words(reading, colours)])
    figure.add_traces(_curves(reading, colours))
    frame = {"showline": True, "ticks": "outside", "ticklen": 3}
    ranks = axis(
        colours,
        f"rank among {reading.n_words:,}",
        type="log",
        domain=list(_RANKS),
        anchor="y",
        tickangle=0,
        dtick=2,
        range=[-0.15, float(np.log10(reading.n_words))],
        **frame,
    )
    figure.update_layout(
        base_layout(
            colours,
            title=title(
                f"“{literal(meaning.word)}” in {literal(model_label(meaning.model))} · "
                f"{'what comes next' if reading.head == 'next' else 'what it means now'}"
            ),
            xaxis=axis(colours, _COLUMNS[reading.head], domain=list(_WORDS), dtick=1, fixedrange=True),
            yaxis=axis(
                colours,
                "layer",
                domain=[0, below],
                range=[depth - 0.5, -0.5],
                dtick=1 if depth < 16 else 2,
                fixedrange=True,
                **frame,
            ),
            xaxis2=ranks,
            xaxis3={"domain": [0, _RANKS[1]], "anchor": "y3", "visible": False, "fixedrange": True},
            yaxis3=axis(colours, "", domain=[top, 1], anchor="x3", fixedrange=True, tickvals=[0], ticktext=["static"]),
            legend={
                "x": _RANKS[1],
                "y": below,
                "xanchor": "right",
                "yanchor": "bottom",
                "orientation": "h",
                "bgcolor": "rgba(0,0,0,0)",
                "font": {"size": 11, "color": colours.ink},
            },
            margin={"l": 8, "r": 8, "t": 36, "b": 8},
            hovermode="closest",
            showlegend=True,
            shapes=[] if layer is None else [_frame(min(layer, depth - 1), reading, colours)],
        )
    )
    return figure


_COLUMNS = {
    "next": "likeliest next tokens, first to last",
    "masked": "likeliest tokens in its place, first to last",
    "static": "nearest words of the vocabulary, first to last",
}


def panel_height(meaning: Meaning) -> int:
    """Pixels that every layer's words need to be read."""
    return _ROW_HEIGHT * len(meaning.reading.labels) + _AROUND


def meaning_caption(meaning: Meaning) -> str:
    """What a reader could paste under the figure: what was read, by what, and how."""
    parts = [
        f"“{meaning.word}” in {model_label(meaning.model)}, {meaning.place.rstrip('.')}.",
        "Above: words whose static vectors have the largest cosine with its own static vector.",
        f"{_READ_BY[meaning.reading.head]}. Shade: "
        f"{'cosine' if meaning.reading.head == 'static' else 'probability'}; bold: the word itself; "
        "“…”: goes on a word.",
    ]
    parts += [f"{remark[0].upper()}{remark[1:]}." for remark in meaning.remarks]
    return " ".join(parts)


def _nearest(meaning: Meaning, colours: Theme) -> go.Heatmap:
    nearest = meaning.nearest
    words = [
        _cell(label, own) + f"<br><span style='font-size:10px'>{cosine:.2f}</span>"
        for label, own, cosine in zip(nearest.labels, nearest.own, nearest.cosines, strict=True)
    ]
    return go.Heatmap(
        z=nearest.cosines[None],
        text=[words],
        texttemplate="%{text}",
        customdata=[[_named(label, int(i)) for label, i in zip(nearest.labels, nearest.ids, strict=True)]],
        hovertemplate="%{customdata}<br>cosine with the static vector %{z:.3f}<extra></extra>",
        xaxis="x3",
        yaxis="y3",
        showscale=False,
        zmin=0,
        zmax=1,
        xgap=2,
        colorscale=_shades(colours),
        textfont={"size": 11, "color": colours.ink},
    )


def _words(reading: Reading, colours: Theme) -> go.Heatmap:
    """Layers down, words across; a few words share the probability, so the shade is by its root."""
    own = reading.ids == reading.own_id
    what = "cosine" if reading.head == "static" else "probability"
    depth, k = reading.values.shape
    static = reading.head == "static"
    low, high = (float(reading.values.min()), float(reading.values.max())) if static else (0.0, 1.0)
    return go.Heatmap(
        z=_shade(reading.values, reading.head),
        x=list(range(1, k + 1)),
        y=list(range(depth)),
        text=[
            [_cell(label, bool(mark)) for label, mark in zip(row, marks, strict=True)]
            for row, marks in zip(reading.labels, own, strict=True)
        ],
        texttemplate="%{text}",
        customdata=[
            [
                f"layer {layer} · number {place + 1}<br>"
                f"{_named(label, int(reading.ids[layer, place]))}<br>"
                f"{what} {reading.values[layer, place]:.3g}"
                for place, label in enumerate(row)
            ]
            for layer, row in enumerate(reading.labels)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        zmin=float(_shade(low, reading.head)),
        zmax=float(_shade(high, reading.head)),
        xgap=2,
        ygap=1,
        colorscale=_shades(colours),
        textfont={"size": 11, "color": colours.ink},
        colorbar=_bar(what, low, high, reading.head, colours),
    )


def _shade(values: FloatArray | float, head: str) -> Any:
    return values if head == "static" else np.sqrt(values)


def _bar(what: str, low: float, high: float, head: str, colours: Theme) -> dict[str, Any]:
    ticks = np.linspace(low, high, 3) if head == "static" else np.array([0, 0.05, 0.25, 0.5, 1])
    return {
        "thickness": 10,
        "outlinewidth": 0,
        "len": 180,
        "lenmode": "pixels",
        "x": 1.0,
        "y": 0,
        "yanchor": "bottom",
        "tickvals": _shade(ticks, head),
        "ticktext": [f"{tick:.2g}" for tick in ticks],
        "tickfont": {"size": 11, "color": colours.faint},
        "title": {"text": what, "side": "right", "font": {"color": colours.faint}},
    }


def _curves(reading: Reading, colours: Theme) -> list[go.Scatter]:
    """The rank of the word itself by layer, and of what comes next where that is read."""
    curves = [(f"“{reading.own}” itself", reading.own_ranks, colours.senses[1], "circle")]
    if reading.following is not None and reading.following_ranks is not None:
        name = f"what comes next, “{reading.following}”"
        curves.append((name, reading.following_ranks, colours.senses[0], "square"))
    return [
        go.Scatter(
            x=ranks,
            y=np.arange(len(ranks)),
            xaxis="x2",
            yaxis="y",
            mode="lines+markers",
            name=literal(name),
            line={"color": colour, "width": 2},
            marker={"size": 6, "symbol": symbol, "color": colour},
            hovertemplate="layer %{y}<br>rank %{x:,}<extra></extra>",
        )
        for name, ranks, colour, symbol in curves
    ]


def _frame(layer: int, reading: Reading, colours: Theme) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": 0.5,
        "x1": len(reading.labels[0]) + 0.5,
        "y0": layer - 0.5,
        "y1": layer + 0.5,
        "line": {"color": colours.accent, "width": 2},
    }


def _cell(label: str, own: bool) -> str:
    short = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
    return f"<b>{literal(short)}</b>" if own else literal(short)


def _named(label: str, index: int) -> str:
    return f"“{literal(label)}” (token {index:,})"


def _shades(colours: Theme) -> list[list[Any]]:
    return [[0, colours.paper], [1, _BLUE[colours.name]]]


def _meaning(meaning: Meaning, settings: MeaningSettings, style: FigureStyle) -> SizedFigure:
    figure, height = meaning_figure(meaning, style.theme, settings.layer), panel_height(meaning) - 48
    return SizedFigure(figure, meaning_caption(meaning), _WIDTH, height, 48, fixed=True)


FIGURES = {"meaning": _meaning}
