"""Where position enters: how a model tells positions apart, and the sum that one token's embedding is."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.projection import project
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.style import (
    DIVERGING,
    PALETTES,
    SEQUENTIAL,
    Theme,
    axis,
    base_layout,
    literal,
    model_label,
    theme_of,
    title,
)
from explorer.records import EmbeddingSum, FloatArray, IntArray, Positions, Rotation
from explorer.views.embeddings.positions import PositionsSettings
from explorer.views.embeddings.positions.compute import WordPositions

_MOST = 256  # positions a side of the map has
_FIRST = 96  # positions that components cover at first
_REACH = 128  # tokens apart that rotations and biases cover
_LEFT, _RIGHT = [0.0, 0.40], [0.60, 1.0]
_TOP, _BOTTOM = [0.40, 1.0], [0.0, 0.24]
_LABEL_ROOM = 0.4  # of the bars' length, beside them
_PARTS = {"static": "static vector", "position": "+ position", "segment": "+ segment"}
_FRAME: dict[str, Any] = {"showline": True, "ticks": "outside", "ticklen": 3}


def positions_figure(positions: Positions, embeddings: EmbeddingSum, token: int, theme: str = "light") -> go.Figure:
    """Two plots of how a model encodes position, and under them one token's sum."""
    colours = theme_of(theme)
    figure = go.Figure()
    axes: dict[str, Any] = {}
    if positions.vectors is not None:
        axes = _of_vectors(figure, positions.vectors, colours)
    elif positions.rotations:
        axes = _of_rotations(figure, positions.rotations, colours)
    elif positions.bias is not None:
        axes = _of_bias(figure, positions.bias, colours)
    _sum(figure, embeddings, token, colours)
    name = literal(model_label(positions.model))
    ends = np.cumsum(embeddings.along_the_sum(token)).tolist()
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = _LABEL_ROOM * (high - low)
    figure.update_layout(
        base_layout(
            colours,
            title=title(f"Where position enters {name} · {positions.kind}"),
            **axes,
            xaxis3=axis(
                colours,
                "length along the sum",
                domain=[0, 1],
                anchor="y3",
                range=[low - room if low else 0.0, high + room],
                **_FRAME,
            ),
            yaxis3=axis(colours, "", domain=_BOTTOM, anchor="x3", autorange="reversed", **_FRAME),
            legend={
                "x": 1,
                "y": 1.0,
                "xanchor": "right",
                "yanchor": "bottom",
                "orientation": "h",
                "font": {"size": 11, "color": colours.ink},
            },
            margin={"l": 8, "r": 8, "t": 48, "b": 8},
        )
    )
    return figure


def positions_caption(positions: Positions, embeddings: EmbeddingSum, token: int) -> str:
    """What a reader could paste under the figure."""
    parts = [f"{model_label(positions.model)}: {positions.description}."]
    if positions.vectors is not None:
        variance = project(positions.vectors, n=min(3, *positions.vectors.shape)).explained_variance
        shares = ", ".join(f"{share:.0%}" for share in variance)
        parts.append(
            f"Left: cosine of the vectors of positions 0 to {len(positions.vectors) - 1}; right: their "
            f"first principal components ({shares} of the variance)."
        )
    for rotation in positions.rotations:
        theta = "" if rotation.theta is None else f" with θ = {rotation.theta:,.0f}"
        shortest, longest = 2 * np.pi / rotation.frequencies[[0, -1]]
        parts.append(
            f"{rotation.layers.capitalize()}: {2 * len(rotation.frequencies)} of {positions.d_head} "
            f"dimensions a head turn in pairs{theta}, once in {shortest:,.0f} to "
            f"{longest:,.0f} tokens."
        )
    sums = " + ".join(embeddings.parts) if len(embeddings.parts) > 1 else "the static vector alone"
    through = "".join(f", through the {module}" for module in embeddings.after)
    error = float(embeddings.error.max())
    parts.append(
        f"Below, the input of the first block for “{embeddings.labels[token]}”: {sums}{through}; each "
        "part’s length along the sum, which they add up to. The sum is hidden[0] "
        f"{f'to a relative {error:.0e}' if error else 'exactly'} over the sentence."
    )
    return " ".join(parts)


def _of_vectors(figure: go.Figure, vectors: FloatArray, colours: Theme) -> dict[str, Any]:
    """Cosine of every two positions, and the first components over position."""
    step = -(-len(vectors) // _MOST)
    some, places = vectors[::step], np.arange(0, len(vectors), step)
    unit = some / np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-30)
    figure.add_trace(
        _heat(unit @ unit.T, places, places, "cosine", PALETTES[SEQUENTIAL], colours, hover="positions %{y} and %{x}")
    )
    result = project(vectors, n=min(3, *vectors.shape))
    for number, points in enumerate(result.points.T):
        figure.add_trace(
            _curve(
                np.arange(len(points)),
                points,
                f"component {number + 1} ({result.explained_variance[number]:.0%})",
                {"color": colours.senses[number], "width": 1.5, "dash": ("solid", "dash", "dot")[number]},
                hover="position %{x}",
            )
        )
    return {
        "xaxis": axis(colours, "position", domain=_LEFT, anchor="y", **_FRAME),
        "yaxis": axis(colours, "position", domain=_TOP, anchor="x", autorange="reversed", **_FRAME),
        "xaxis2": axis(
            colours,
            "position (the first; drag for others)",
            domain=_RIGHT,
            anchor="y2",
            range=[0, min(_FIRST, len(vectors))],
            **_FRAME,
        ),
        "yaxis2": axis(colours, "principal component", domain=_TOP, anchor="x2", **_FRAME),
    }


def _of_rotations(figure: go.Figure, rotations: tuple[Rotation, ...], colours: Theme) -> dict[str, Any]:
    """Each pair's cosine by distance, and their mean: how much a rotated vector agrees with itself."""
    apart = np.arange(_REACH + 1)
    first = rotations[0]
    rotated = np.cos(np.outer(first.frequencies, apart))
    figure.add_trace(
        _heat(
            rotated,
            apart,
            np.arange(len(rotated)),
            "cosine",
            DIVERGING[colours.name],
            colours,
            hover="pair %{y}, %{x} tokens apart",
            low=-1,
        )
    )
    for number, rotation in enumerate(rotations):
        figure.add_trace(
            _curve(
                apart,
                np.cos(np.outer(rotation.frequencies, apart)).mean(axis=0),
                literal(rotation.layers),
                {"color": colours.senses[number % len(colours.senses)], "width": 2},
                hover="%{x} tokens apart",
            )
        )
    return {
        "xaxis": axis(colours, "distance (tokens)", domain=_LEFT, anchor="y", **_FRAME),
        "yaxis": axis(
            colours,
            f"pair of dimensions, fast to slow ({first.layers})",
            domain=_TOP,
            anchor="x",
            autorange="reversed",
            **_FRAME,
        ),
        "xaxis2": axis(colours, "distance (tokens)", domain=_RIGHT, anchor="y2", **_FRAME),
        "yaxis2": axis(colours, "cosine with itself, rotated", domain=_TOP, anchor="x2", **_FRAME),
    }


def _of_bias(figure: go.Figure, bias: FloatArray, colours: Theme) -> dict[str, Any]:
    """What each head adds to a score by distance, as a map and as curves."""
    reach = bias.shape[1] // 2
    apart = np.arange(-reach, reach + 1)
    near = np.abs(apart) <= _REACH
    most = float(np.abs(bias).max())
    figure.add_trace(
        _heat(
            bias[:, near],
            apart[near],
            np.arange(len(bias)),
            "bias",
            DIVERGING[colours.name],
            colours,
            hover="head %{y}, key %{x} tokens on",
            low=-most,
            high=most,
        )
    )
    figure.add_trace(
        _curve(
            apart[near],
            bias[:, near].mean(axis=0),
            "mean over heads",
            {"color": colours.senses[0], "width": 2},
            hover="key %{x} tokens on",
        )
    )
    return {
        "xaxis": axis(colours, "key − query (tokens)", domain=_LEFT, anchor="y", **_FRAME),
        "yaxis": axis(colours, "head", domain=_TOP, anchor="x", autorange="reversed", **_FRAME),
        "xaxis2": axis(colours, "key − query (tokens)", domain=_RIGHT, anchor="y2", **_FRAME),
        "yaxis2": axis(colours, "bias", domain=_TOP, anchor="x2", **_FRAME),
    }


def _curve(x: IntArray, y: FloatArray, name: str, line: dict[str, Any], hover: str) -> go.Scatter:
    """A line in the plot on the right."""
    template = f"{hover}: %{{y:.3f}}<extra></extra>"
    return go.Scatter(x=x, y=y, xaxis="x2", yaxis="y2", mode="lines", name=name, line=line, hovertemplate=template)


def _heat(
    values: FloatArray,
    x: Any,
    y: Any,
    what: str,
    scale: Any,
    colours: Theme,
    hover: str,
    low: float | None = None,
    high: float = 1.0,
) -> go.Heatmap:
    return go.Heatmap(
        z=values,
        x=x,
        y=y,
        zmin=low,
        zmax=high,
        colorscale=scale,
        hovertemplate=f"{hover}: %{{z:.3f}}<extra></extra>",
        colorbar={
            "thickness": 10,
            "outlinewidth": 0,
            "x": _LEFT[1] + 0.01,
            "y": _TOP[0],
            "len": 0.6,
            "yanchor": "bottom",
            "tickfont": {"size": 11, "color": colours.faint},
            "title": {"text": what, "side": "top", "font": {"size": 11, "color": colours.faint}},
        },
    )


def _sum(figure: go.Figure, embeddings: EmbeddingSum, token: int, colours: Theme) -> None:
    """Bars that begin where the last one ended, and the length they come to."""
    along = embeddings.along_the_sum(token).tolist()
    own = np.linalg.norm(embeddings.vectors[:, token], axis=1).tolist()
    total = sum(along)
    ends = np.cumsum(along).tolist()
    after = f" → {np.linalg.norm(embeddings.block_input[token]):.3f} after {' and '.join(embeddings.after)}"
    figure.add_trace(
        go.Bar(
            x=[*along, total],
            y=[*(_PARTS[part] for part in embeddings.parts), "= sum"],
            base=[0.0, *ends[:-1], 0.0],
            text=[
                *(f"{value:+.3f}, own length {length:.3f}" for value, length in zip(along, own, strict=True)),
                f"{total:.3f}{after if embeddings.after else ''}",
            ],
            marker={"color": [*colours.senses[: len(along)], colours.ink]},
            textposition="outside",
            textfont={"size": 11, "color": colours.ink},
            constraintext="none",
            cliponaxis=False,
            orientation="h",
            xaxis="x3",
            yaxis="y3",
            showlegend=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )


def _positions(record: WordPositions, _settings: PositionsSettings, style: FigureStyle) -> SizedFigure:
    of = record.positions, record.embedding_sum, record.token
    figure = positions_figure(*of, style.theme)
    if record.positions.vectors is not None:
        figure.update_layout(xaxis2={"title": {"text": "position (the first)"}})
    return SizedFigure(figure, positions_caption(*of), 1000, 640, 48)


FIGURES = {"positions": _positions}
