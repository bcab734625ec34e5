"""Every two occurrences of a word as a square of cosines, ordered by sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

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
    sense_shape,
    theme_of,
    title,
)
from explorer.records import FloatArray, Occurrence, WordSimilarity, WordStudy
from explorer.views.embeddings.similarity import SimilaritySettings
from explorer.views.embeddings.similarity.compute import OccurrenceSimilarity

# The marks of figures.style.SYMBOLS, as characters.
_MARKS = "●■▲✚✖▼⬟"
_NUMBERED = 16  # occurrences that leave room for a number in each cell
_HOVERED = 40  # for a hover text a cell
_LABELLED = 60  # for a label a row
_ROW, _LEAST, _BESIDE = 18, 420, 170  # pixels: a row, the square, its labels and colour bar


def similarity_figure(
    study: WordStudy, similarity: WordSimilarity, corrected: bool = False, theme: str = "light"
) -> go.Figure:
    """The cosines of all pairs; with ``corrected`` minus the layer's anisotropy, around 0.

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    order = list(similarity.order)
    values = similarity.cosine[np.ix_(order, order)] - (similarity.anisotropy if corrected else 0)
    places, labels = _ticks(study, similarity, colours)
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": labels, "tickangle": 0}
    side = {**ticks, "fixedrange": True, "constrain": "domain"}
    last = len(order) - 0.5
    figure = go.Figure(_cells(study, similarity, values, corrected, colours))
    figure.update_layout(
        base_layout(
            colours,
            title=title(f"“{literal(study.word)}” in {literal(model_label(study.model))} · layer {similarity.layer}"),
            xaxis=axis(colours, "occurrence, by sentence", **side, range=[-0.5, last]),
            yaxis=axis(
                colours, "occurrence, by sentence", **side, range=[last, -0.5], scaleanchor="x", constraintoward="top"
            ),
            shapes=_borders(study, similarity, colours),
        )
    )
    return figure


def similarity_caption(study: WordStudy, similarity: WordSimilarity, corrected: bool = False) -> str:
    """What a reader could paste under the figure."""
    parts = [
        f"Cosine similarity (full space) of every two of the {len(similarity.order)} occurrences of "
        f"“{study.word}” at layer {similarity.layer} of {model_label(study.model)}, ordered by sense; "
        "the diagonal is 1 and off the colour scale."
    ]
    if np.isnan(similarity.anisotropy):
        parts.append("Anisotropy is undefined here: it takes words of two sentences.")
    elif corrected:
        parts.append(
            f"Minus anisotropy, {similarity.anisotropy:.3f}, the mean cosine of other words of "
            "different sentences at this layer (Ethayarajh 2019): 0 is as alike as any two words."
        )
    else:
        parts.append(f"Random words at this layer have a cosine of {similarity.anisotropy:.3f}.")
    return " ".join(parts)


def _cells(
    study: WordStudy, similarity: WordSimilarity, values: FloatArray, corrected: bool, colours: Theme
) -> go.Heatmap:
    count = len(values)
    apart = values[~np.eye(count, dtype=bool)]
    low, high = (float(apart.min()), float(apart.max())) if count > 1 else (0.0, 1.0)
    scale: dict[str, Any] = {"colorscale": PALETTES[SEQUENTIAL], "zmin": low, "zmax": high}
    if corrected:
        most = max(abs(low), abs(high))
        scale = {"colorscale": DIVERGING[colours.name], "zmin": -most, "zmax": most}
    hover: dict[str, Any] = {"hovertemplate": "cosine %{z:.3f}<extra></extra>"}
    if count <= _HOVERED:
        hover = {"hovertext": _hover(study, similarity), "hovertemplate": "%{hovertext}<extra></extra>"}
    numbers = {"texttemplate": "%{z:.2f}"} if count <= _NUMBERED else {}
    gap = 1 if count <= _LABELLED else 0
    return go.Heatmap(
        z=values.astype(np.float32),
        **scale,
        **hover,
        **numbers,
        xgap=gap,
        ygap=gap,
        colorbar={
            "thickness": 10,
            "outlinewidth": 0,
            "tickfont": {"size": 11, "color": colours.faint},
            "title": {
                "text": "cosine − anisotropy" if corrected else "cosine",
                "side": "right",
                "font": {"color": colours.faint},
            },
        },
    )


def _ticks(study: WordStudy, similarity: WordSimilarity, colours: Theme) -> tuple[list[float], list[str]]:
    """A label an occurrence, marked by its sense; of many occurrences one a sense."""
    senses = list(dict.fromkeys(o.sense for o in study.occurrences))
    rows_of: dict[str, list[int]] = {}
    labels = []
    for row, place in enumerate(similarity.order):
        occurrence = study.occurrences[place]
        number = senses.index(occurrence.sense)
        colour = colours.senses[number % len(colours.senses)]
        mark = f'<span style="color:{colour}">{_MARKS[sense_shape(number)]}</span>'
        again = f"·{occurrence.occurrence + 1}" if occurrence.occurrence else ""
        labels.append(f"{mark} {occurrence.sentence + 1}{again}")
        rows_of.setdefault(f"{mark} {literal(occurrence.sense) or 'no sense given'}", []).append(row)
    if len(labels) <= _LABELLED:
        return list(range(len(labels))), labels
    return [float(np.mean(rows)) for rows in rows_of.values()], list(rows_of)


def _borders(study: WordStudy, similarity: WordSimilarity, colours: Theme) -> list[dict[str, Any]]:
    """Lines between the senses, both ways."""
    senses = [study.occurrences[place].sense for place in similarity.order]
    ends = [row + 0.5 for row in range(len(senses) - 1) if senses[row] != senses[row + 1]]
    low, high = -0.5, len(senses) - 0.5
    line = {"color": colours.ink, "width": 2}
    return [
        {"type": "line", "line": line, **place}
        for end in ends
        for place in ({"x0": end, "x1": end, "y0": low, "y1": high}, {"x0": low, "x1": high, "y0": end, "y1": end})
    ]


def _hover(study: WordStudy, similarity: WordSimilarity) -> list[list[str]]:
    """Both occurrences and their cosine, for every cell."""
    names = {place: _name(study, similarity, place) for place in similarity.order}
    beside = "" if np.isnan(similarity.anisotropy) else " · minus anisotropy {:.3f}"
    return [
        [
            f"{names[one]}<br>{names[other]}<br>cosine {similarity.cosine[one, other]:.3f}"
            + beside.format(similarity.cosine[one, other] - similarity.anisotropy)
            for other in similarity.order
        ]
        for one in similarity.order
    ]


def _name(study: WordStudy, similarity: WordSimilarity, place: int) -> str:
    """Number, sense, proposal and the words around an occurrence."""
    one = study.occurrences[place]
    parts = [str(one.sentence + 1), literal(one.sense) or "no sense given"]
    if similarity.proposals is not None:
        parts.append(f"proposal {similarity.proposals.groups[place] + 1}")
    return f"{' · '.join(parts)}: {literal(excerpt(one))}"


def excerpt(occurrence: Occurrence, width: int = 70) -> str:
    """The words around an occurrence, in a line of ``width`` characters or so."""
    start, end = occurrence.span
    room = max(8, (width - (end - start)) // 2)
    text = occurrence.text
    left, right = max(0, start - room), min(len(text), end + room)
    if left:  # whole words only, where there are spaces
        left = text.find(" ", left, start) + 1 or left
    if right < len(text):
        right = max(text.rfind(" ", end, right), end) if " " in text[end:right] else right
    cut = " ".join(text[left:right].split())
    return f"{'… ' if left else ''}{cut}{' …' if right < len(text) else ''}"


def _similarity(record: OccurrenceSimilarity, _settings: SimilaritySettings, style: FigureStyle) -> SizedFigure:
    """The matrix, large enough for its labels and numbers."""
    of, count = (record.study, record.similarity, record.corrected), len(record.similarity.order)
    side = max(_LEAST, (_ROW if count > _NUMBERED else 2 * _ROW) * min(count, _LABELLED))
    return SizedFigure(similarity_figure(*of, style.theme), similarity_caption(*of), side + _BESIDE, side + 60, 48)


FIGURES = {"similarity": _similarity}
