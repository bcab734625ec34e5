"""Queries and keys of a head drawn in one plane, strong pairs joined by lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.caption import AXIS, cut, legend_above
from explorer.figures.figure_style import FigureStyle, SizedFigure
from explorer.figures.labels import named, thinned
from explorer.figures.style import STACKS, Theme, axis, base_layout, literal, model_label, theme_of, title
from explorer.records import FloatArray, Pair, QueryKeyPoints, TextPoints
from explorer.records.spaces import MOST_PAIRS
from explorer.views.inside.points import MAX_TEXTS, PointsSettings

LABELLED = 60
DRAWN = 1200  # points of each kind: more would fill the page with nodes
QUERY, KEY = 0, 2  # of the theme's colours, as everywhere on the page
_SHAPES = {
    "query": ("circle", "circle-open", "circle-open-dot", "circle-cross-open", "circle-x-open"),
    "key": ("square", "square-open", "square-open-dot", "square-cross-open", "square-x-open"),
}
_WIDTH, _HEIGHT = 760, 640  # pixels, in a file
# From which weight on a line has which width.
_WIDTHS = ((0.8, 4.0), (0.5, 2.8), (0.3, 1.8), (0.1, 1.1), (0.0, 0.7))


def points_figure(shown: QueryKeyPoints, theme: str = "light") -> go.Figure:
    """Queries and keys as points, lines between strong pairs, the chosen query on top.

    Args:
        shown: the points.
        theme: "light" or "dark".

    Raises:
        ValueError: an unknown theme.
    """
    colours = theme_of(theme)
    figure = go.Figure()
    figure.add_traces(list(_lines(shown, shown.pairs, colours.faint, 0.45, "strong pairs")))
    name = literal(_label(shown, "query", 0, shown.query))
    figure.add_traces(list(_lines(shown, shown.chosen, colours.accent, 0.9, f"weights of “{name}”")))
    for number, text in enumerate(shown.texts):
        for kind in ("key", "query"):
            figure.add_trace(_marks(shown, number, text, kind, colours))
    figure.add_trace(_ring(shown, colours))
    figure.add_trace(_origin(shown, colours))
    figure.add_trace(_names(shown, colours))
    first, second = shown.explained_variance
    figure.update_layout(
        base_layout(
            colours,
            title=title(
                f"{_what(shown)} · {literal(model_label(shown.source.model))} · "
                f"{STACKS.get(shown.stack, shown.stack)} · layer {shown.layer} · head {shown.head}"
            ),
            xaxis=_component(colours, 1, first),
            yaxis=_component(colours, 2, second, scaleanchor="x", scaleratio=1),
            legend={
                "orientation": "h",
                "x": 0,
                "y": 0,
                "yanchor": "bottom",
                "yref": "container",
                "font": {"size": 12, "color": colours.ink},
                "itemsizing": "constant",
            },
            margin={"l": 8, "r": 8, "t": 30, "b": 8},
            hovermode="closest",
        )
    )
    return figure


def points_caption(shown: QueryKeyPoints) -> str:
    """What a reader could paste under the figure."""
    several = len(shown.texts) > 1
    owner = f", keys of key/value head {shown.kv_head}" if shown.kv_head != shown.head else ""
    when = "before they are rotated by position" if shown.before else "as the scores are made of them"
    parts = [
        "Queries and keys of "
        + (f"{len(shown.texts)} texts" if several else f"“{_short(shown.texts[0].text)}”")
        + f" in layer {shown.layer}, head {shown.head}{owner}, of {model_label(shown.source.model)}, "
        f"{when}.",
        f"Plane: PCA of queries and keys {'of all texts ' if several else ''}together; it keeps "
        f"{shown.explained_variance.sum():.0%} of their variance.",
        "What counts is the dot product in the full space, measured from 0 (+), not how near "
        "points are" + _agreement(shown) + ".",
        f"Lines: {_how_many(shown)} of {shown.least:g} and more"
        + (", within a text" if several else "")
        + "; thicker means more.",
    ]
    if shown.before:
        parts.append("The weights are those of the rotated queries and keys.")
    if shown.aligned:
        parts.append(
            "One vector was added to all keys to bring their mean to the queries’: that "
            + (
                "changes no weight."
                if shown.shifts
                else "would change weights in this model (soft cap or sink), those shown are its own."
            )
        )
    if shown.drop_first:
        parts.append("The first token is left out.")
    drawn, given = _counts(shown)
    if drawn < given:
        parts.append(f"Of {given:,} points {drawn:,} are drawn, evenly, and all that have a line.")
    parts += [f"Note: {warning}." for warning in shown.warnings] + cut(shown.source.truncation)
    return " ".join(parts)


def _agreement(shown: QueryKeyPoints) -> str:
    if math.isnan(shown.agreement):
        return ""
    return f"; over a query’s keys the plane’s own dot products correlate {shown.agreement:.2f} with it"


def _how_many(shown: QueryKeyPoints) -> str:
    many = len(shown.pairs)
    if not many:
        return "there is no attention weight"
    return "attention weights" if many < MOST_PAIRS else f"the {many} strongest attention weights"


def _what(shown: QueryKeyPoints) -> str:
    return "Queries and keys before rotation" if shown.before else "Queries and keys"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _side(text: TextPoints, kind: str) -> tuple[tuple[str, ...], FloatArray]:
    return (text.queries, text.query_points) if kind == "query" else (text.keys, text.key_points)


def _label(shown: QueryKeyPoints, kind: str, text: int, token: int) -> str:
    return _side(shown.texts[text], kind)[0][token]


def _lines(
    shown: QueryKeyPoints, pairs: Sequence[Pair], colour: str, opacity: float, name: str
) -> Iterator[go.Scatter]:
    """Lines of pairs, a trace a width; the first carries the legend."""
    left = list(pairs)
    first = True
    for least, width in _WIDTHS:
        members = [pair for pair in left if pair.weight >= least]
        left = [pair for pair in left if pair.weight < least]
        if not members:
            continue
        xs: list[float | None] = []
        ys: list[float | None] = []
        for pair in members:
            text = shown.texts[pair.text]
            start, end = text.query_points[pair.query], text.key_points[pair.key]
            xs += [float(start[0]), float(end[0]), None]
            ys += [float(start[1]), float(end[1]), None]
        yield go.Scatter(
            x=xs,
            y=ys,
            mode="lines",
            name=name,
            legendgroup=name,
            showlegend=first,
            line={"width": width, "color": colour},
            opacity=opacity,
            hoverinfo="skip",
        )
        first = False


def _drawn(shown: QueryKeyPoints, number: int, kind: str) -> list[int]:
    """Which tokens of a text's queries or keys get a point."""
    points = _side(shown.texts[number], kind)[1]
    pairs = [pair for pair in (*shown.pairs, *shown.chosen) if pair.text == number]
    kept = {pair.query if kind == "query" else pair.key for pair in pairs}
    if kind == "query" and number == 0:
        kept.add(shown.query)
    tokens = thinned(len(points), DRAWN // len(shown.texts), kept)
    return [token for token in tokens if np.isfinite(points[token]).all()]


def _counts(shown: QueryKeyPoints) -> tuple[int, int]:
    """Points drawn, and points there are."""
    drawn = given = 0
    for number, text in enumerate(shown.texts):
        for kind in ("query", "key"):
            drawn += len(_drawn(shown, number, kind))
            given += int(np.isfinite(_side(text, kind)[1]).all(axis=1).sum())
    return drawn, given


def _marks(shown: QueryKeyPoints, number: int, text: TextPoints, kind: str, colours: Theme) -> go.Scatter:
    """One text's queries, or its keys; a point's ``customdata`` ends with the query it chooses."""
    points = _side(text, kind)[1]
    tokens = _drawn(shown, number, kind)
    many = "queries" if kind == "query" else "keys"
    chooses = kind == "query" and number == 0
    return go.Scatter(
        x=points[tokens, 0],
        y=points[tokens, 1],
        mode="markers",
        name=f"{many} · text {number + 1}" if len(shown.texts) > 1 else many,
        marker={
            "size": 9,
            "symbol": _SHAPES[kind][number % MAX_TEXTS],
            "opacity": 0.9,
            "color": colours.senses[QUERY if kind == "query" else KEY],
            "line": {
                "width": 1 if number == 0 else 1.6,
                "color": colours.paper if number == 0 else colours.senses[QUERY if kind == "query" else KEY],
            },
        },
        customdata=[[_told(shown, number, kind, token), token if chooses else None] for token in tokens],
        hovertemplate="%{customdata[0]}<extra></extra>",
        cliponaxis=False,
    )


def _told(shown: QueryKeyPoints, number: int, kind: str, token: int) -> str:
    """A point's hover."""
    text = shown.texts[number]
    of = f" · text {number + 1}" if len(shown.texts) > 1 else ""
    head = f"<b>{literal(_label(shown, kind, number, token))}</b> · {kind} {token}{of}"
    if kind == "key":
        return f"{head}<br>mean weight it gets {text.received[token]:.3f}"
    looks = [f"{pair.weight:.2f} {literal(text.keys[pair.key])}" for pair in text.strongest[token]]
    return "<br>".join([head, *(["looks at", *looks] if looks else [])])


def _ring(shown: QueryKeyPoints, colours: Theme) -> go.Scatter:
    x, y = shown.texts[0].query_points[shown.query].tolist()
    seen = math.isfinite(x)
    return go.Scatter(
        x=[x] if seen else [],
        y=[y] if seen else [],
        mode="markers",
        name="the query chosen",
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
        marker={
            "size": 17,
            "symbol": "circle-open",
            "color": colours.accent,
            "line": {"width": 2.5, "color": colours.accent},
        },
    )


def _origin(shown: QueryKeyPoints, colours: Theme) -> go.Scatter:
    x, y = shown.origin.tolist()
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


def _names(shown: QueryKeyPoints, colours: Theme) -> go.Scatter:
    """Names of as many points as have room: the chosen query's first, then the lines' ends."""
    ids = [
        (number, kind, token)
        for number in range(len(shown.texts))
        for kind in ("query", "key")
        for token in _drawn(shown, number, kind)
    ]
    places = {one: place for place, one in enumerate(ids)}
    points = [_side(shown.texts[number], kind)[1][token] for number, kind, token in ids]
    wanted = [(0, "query", shown.query)]
    wanted += [(0, "key", pair.key) for pair in shown.chosen]
    for pair in shown.pairs:
        wanted += [(pair.text, "query", pair.query), (pair.text, "key", pair.key)]
    first = [places[one] for one in wanted if one in places]
    names = [_label(shown, kind, number, token) for number, kind, token in ids]
    at = np.array(points).reshape(-1, 2)
    kept = named([at], names, first, LABELLED)
    inked = [colours.senses[QUERY if ids[i][1] == "query" else KEY] for i in kept]
    return go.Scatter(
        x=at[kept, 0],
        y=at[kept, 1],
        mode="markers+text",
        name="names",
        showlegend=False,
        hoverinfo="skip",
        textposition="top center",
        cliponaxis=False,
        # Unseen marks keep the names off those that are seen.
        marker={"opacity": 0, "size": [18 if ids[i] == wanted[0] else 10 for i in kept]},
        text=[_written(names[i], ids[i] == wanted[0], ids[i][0]) for i in kept],
        textfont={
            "size": 12,
            "color": [colours.accent if ids[i] == wanted[0] else ink for i, ink in zip(kept, inked, strict=True)],
        },
    )


def _written(name: str, chosen: bool, text: int) -> str:
    """A name; of a further text with its number."""
    shown = literal(name) + (f"<sub>{text + 1}</sub>" if text else "")
    return f"<b>{shown}</b>" if chosen else shown


def _component(colours: Theme, number: int, share: float, **more: object) -> dict[str, object]:
    return axis(
        colours,
        f"principal component {number} ({share:.1%} of the variance)",
        ticks="outside",
        ticklen=3,
        showline=True,
        mirror=True,
        **more,
    )


def _points(record: QueryKeyPoints, _settings: PointsSettings, style: FigureStyle) -> SizedFigure:
    figure = legend_above(points_figure(record, style.theme), _WIDTH)
    return SizedFigure(figure, points_caption(record), _WIDTH, _HEIGHT, AXIS)


FIGURES = {"points": _points}
