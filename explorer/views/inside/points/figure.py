"""Queries and keys of a head as points in one plane, pairs with large weights joined by lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import AXIS, cut, legend_above
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.labels import named, thinned
from explorer.figures.planes import component_axis, names_trace, plane_layout, ring
from explorer.figures.style import STACKS, Theme, literal, model_label, theme_of
from explorer.records import FloatArray, Pair, QueryKeyPoints, TextPoints
from explorer.records.spaces import MOST_PAIRS
from explorer.views.inside.points import MAX_TEXTS, PointsSettings

LABELLED = 60
DRAWN = 1200  # points of each kind: more would fill the page with nodes
_COLOURS = {"query": 0, "key": 2}  # of the theme's colours, as everywhere on the page
_SHAPES = {
    "query": ("circle", "circle-open", "circle-open-dot", "circle-cross-open", "circle-x-open"),
    "key": ("square", "square-open", "square-open-dot", "square-cross-open", "square-x-open"),
}
_WIDTH, _HEIGHT = 760, 640  # pixels, in a file
_MARK = 9  # pixels
_WIDTHS = ((0.8, 4.0), (0.5, 2.8), (0.3, 1.8), (0.1, 1.1), (0.0, 0.7))  # smallest weight, width of its line


def points_figure(record: QueryKeyPoints, theme: str = "light") -> go.Figure:
    """Queries and keys as points, lines between pairs with large weights, the chosen query on top.

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    first_text = record.texts[0]
    chosen = literal(first_text.queries[record.query])
    figure = go.Figure(
        [
            *_lines(record, record.pairs, colours.faint, 0.45, "strong pairs"),
            *_lines(record, record.chosen, colours.accent, 0.9, f"weights of “{chosen}”"),
            *(_marks(record, i, kind, colours) for i in range(len(record.texts)) for kind in ("key", "query")),
            ring(first_text.query_points[[record.query]], "the chosen query", colours),
            _origin(record, colours),
            _names(record, colours),
        ]
    )
    first, second = record.explained_variance
    heading = (
        f"Queries and keys{' before rotation' if record.before else ''} · {literal(model_label(record.source.model))} "
        f"· {STACKS.get(record.stack, record.stack)} · layer {record.layer} · head {record.head}"
    )
    return figure.update_layout(
        plane_layout(
            colours,
            heading,
            xaxis=component_axis(colours, 1, first),
            yaxis=component_axis(colours, 2, second, scaleanchor="x", scaleratio=1),
        )
    )


def points_caption(record: QueryKeyPoints) -> str:
    """What a reader could paste under the figure."""
    several, text = len(record.texts) > 1, record.texts[0].text
    owner = f", keys of key/value head {record.kv_head}" if record.kv_head != record.head else ""
    short = text if len(text) <= 80 else f"{text[:79]}…"
    when = "before they are rotated by position" if record.before else "as the scores use them"
    agreement = f"; over a query’s keys the plane’s own dot products correlate {record.agreement:.2f} with it"
    count = len(record.pairs)
    weights = "attention weights" if count < MOST_PAIRS else f"the {count} strongest attention weights"
    parts = [
        f"Queries and keys of {f'{len(record.texts)} texts' if several else f'“{short}”'} in layer {record.layer}, "
        f"head {record.head}{owner}, of {model_label(record.source.model)}, {when}.",
        f"Plane: PCA of queries and keys {'of all texts ' if several else ''}together; it explains "
        f"{record.explained_variance.sum():.0%} of their variance.",
        f"What counts is the dot product in the full space, measured from 0 (+), "
        f"not how near points are{'' if math.isnan(record.agreement) else agreement}.",
        f"Lines: {weights if count else 'there is no attention weight'} of {record.least:g} and more"
        f"{', within a text' if several else ''}; thicker means more.",
    ]
    if record.before:
        parts.append("The weights are those of the rotated queries and keys.")
    if record.aligned:
        effect = (
            "changes no weight."
            if record.shifts
            else "would change weights in this model (soft cap or sink), those shown are its own."
        )
        parts.append(f"One vector was added to all keys to bring their mean to the queries’: that {effect}")
    if record.drop_first:
        parts.append("The first token is left out.")
    sides = [(i, kind, _side(text, kind)[1]) for i, text in enumerate(record.texts) for kind in ("query", "key")]
    n_points = sum(int(np.isfinite(points).all(axis=1).sum()) for _, _, points in sides)
    n_drawn = sum(len(_drawn_tokens(record, number, kind)) for number, kind, _ in sides)
    if n_drawn < n_points:
        parts.append(f"Of {n_points:,} points {n_drawn:,} are drawn, evenly, and all that have a line.")
    return " ".join([*parts, *(f"Note: {warning}." for warning in record.warnings), *cut(record.source.truncation)])


def _side(text: TextPoints, kind: str) -> tuple[tuple[str, ...], FloatArray]:
    """Labels and points of a text's queries or keys."""
    return (text.queries, text.query_points) if kind == "query" else (text.keys, text.key_points)


def _lines(
    record: QueryKeyPoints, pairs: Sequence[Pair], colour: str, opacity: float, name: str
) -> Iterator[go.Scatter]:
    """Lines of pairs, one trace per width; the first has the legend entry."""
    first, above = True, math.inf
    for least, width in _WIDTHS:
        members = [pair for pair in pairs if least <= pair.weight < above]
        above = least
        if not members:
            continue
        texts = [record.texts[pair.text] for pair in members]
        ends = [
            (text.query_points[pair.query].tolist(), text.key_points[pair.key].tolist())
            for text, pair in zip(texts, members, strict=True)
        ]
        yield go.Scatter(
            x=[x for start, end in ends for x in (start[0], end[0], None)],
            y=[y for start, end in ends for y in (start[1], end[1], None)],
            mode="lines",
            name=name,
            legendgroup=name,
            showlegend=first,
            line={"width": width, "color": colour},
            opacity=opacity,
            hoverinfo="skip",
        )
        first = False


def _drawn_tokens(record: QueryKeyPoints, number: int, kind: str) -> list[int]:
    """Which tokens of a text's queries or keys get a point."""
    points = _side(record.texts[number], kind)[1]
    pairs = [pair for pair in (*record.pairs, *record.chosen) if pair.text == number]
    required = {pair.query if kind == "query" else pair.key for pair in pairs}
    if kind == "query" and number == 0:
        required.add(record.query)
    tokens = thinned(len(points), DRAWN // len(record.texts), required)
    return [token for token in tokens if np.isfinite(points[token]).all()]


def _marks(record: QueryKeyPoints, number: int, kind: str, colours: Theme) -> go.Scatter:
    """One text's queries, or its keys; a point's ``customdata`` ends with the query a click on it chooses."""
    points = _side(record.texts[number], kind)[1]
    tokens = _drawn_tokens(record, number, kind)
    many = "queries" if kind == "query" else "keys"
    chooses = kind == "query" and number == 0
    colour = colours.senses[_COLOURS[kind]]
    return go.Scatter(
        x=points[tokens, 0],
        y=points[tokens, 1],
        mode="markers",
        name=f"{many} · text {number + 1}" if len(record.texts) > 1 else many,
        marker={
            "size": _MARK,
            "symbol": _SHAPES[kind][number % MAX_TEXTS],
            "opacity": 0.9,
            "color": colour,
            "line": {"width": 1, "color": colours.paper} if number == 0 else {"width": 1.6, "color": colour},
        },
        customdata=[[_hover(record, number, kind, token), token if chooses else None] for token in tokens],
        hovertemplate="%{customdata[0]}<extra></extra>",
        cliponaxis=False,
    )


def _hover(record: QueryKeyPoints, number: int, kind: str, token: int) -> str:
    text = record.texts[number]
    of = f" · text {number + 1}" if len(record.texts) > 1 else ""
    head = f"<b>{literal(_side(text, kind)[0][token])}</b> · {kind} {token}{of}"
    if kind == "key":
        return f"{head}<br>mean weight it gets {text.received[token]:.3f}"
    weights = [f"{pair.weight:.2f} {literal(text.keys[pair.key])}" for pair in text.strongest[token]]
    return "<br>".join([head, "looks at", *weights] if weights else [head])


def _origin(record: QueryKeyPoints, colours: Theme) -> go.Scatter:
    x, y = record.origin.tolist()
    return go.Scatter(
        x=[x],
        y=[y],
        mode="markers+text",
        name="0",
        showlegend=False,
        text=["0"],
        textposition="bottom right",
        textfont={"size": 12, "color": colours.faint},
        marker={
            "size": 11,
            "symbol": "cross-thin",
            "color": colours.ink,
            "line": {"width": 1.5, "color": colours.ink},
        },
        hovertemplate="0: dot products are measured from here<extra></extra>",
        cliponaxis=False,
    )


def _names(record: QueryKeyPoints, colours: Theme) -> go.Scatter:
    """Names of as many points as have room: the chosen query first, then the ends of lines."""
    ids = [
        (number, kind, token)
        for number in range(len(record.texts))
        for kind in ("query", "key")
        for token in _drawn_tokens(record, number, kind)
    ]
    chosen = (0, "query", record.query)
    preferred = [chosen, *((0, "key", pair.key) for pair in record.chosen)]
    for pair in record.pairs:
        preferred += [(pair.text, "query", pair.query), (pair.text, "key", pair.key)]
    index = {one: i for i, one in enumerate(ids)}
    labels = [_side(record.texts[number], kind)[0][token] for number, kind, token in ids]
    points = np.array([_side(record.texts[number], kind)[1][token] for number, kind, token in ids]).reshape(-1, 2)
    named_ids = named([points], labels, [index[one] for one in preferred if one in index], LABELLED)
    return names_trace(
        points[named_ids],
        [literal(labels[i]) + (f"<sub>{ids[i][0] + 1}</sub>" if ids[i][0] else "") for i in named_ids],
        [ids[i] == chosen for i in named_ids],
        [colours.senses[_COLOURS[ids[i][1]]] for i in named_ids],
        _MARK,
        colours,
    )


def _points(record: QueryKeyPoints, _settings: PointsSettings, style: FigureStyle) -> SizedFigure:
    figure = legend_above(points_figure(record, style.theme), _WIDTH)
    return SizedFigure(figure, points_caption(record), _WIDTH, _HEIGHT, AXIS)


FIGURES = {"points": _points}
