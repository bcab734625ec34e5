"""The names of heads beside their points, where there is room; for files.

On the page assets/heads-distances.js names them by the same rules, anew with every zoom.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.records import FloatArray

_SIDES = {"middle right": (1, 0), "middle left": (-1, 0), "top center": (0, -1), "bottom center": (0, 1)}
_CHARACTER, _LINE = 6.2, 12  # pixels of the names' letters
_AROUND = 150  # pixels that axes and the colour bar take of the figure


def name_heads(figure: go.Figure, width: int, height: int) -> go.Figure:
    """Name the heads of a map of heads that have room; heads that stand alone come first.

    Args:
        figure: from ``distances_figure``; changed in place.
        width: that it is drawn at, in pixels.
        height: likewise.
    """
    heads, layout = figure.data[0], figure.layout
    spans = [
        edges[1] - edges[0] for edges in (layout.xaxis.range, layout.yaxis.range)
    ]  # one unit is as long on both axes
    scale = min((width - _AROUND) / spans[0], (height - _AROUND) / spans[1])
    places = scale * np.stack([heads.x, -np.asarray(heads.y)], axis=1)
    names = [".".join(map(str, place)) for place in heads.customdata]
    sides = _placed(places, names, float(heads.marker.size))
    heads.update(
        mode="markers+text",
        text=[name if side else "" for name, side in zip(names, sides, strict=True)],
        textposition=[side or "middle right" for side in sides],
    )
    return figure


def _placed(places: FloatArray, names: list[str], size: float) -> list[str]:
    """Of each head the side of its point where its name fits; empty where it fits nowhere."""
    half = np.full((len(places), 2), size / 2)
    taken = list(np.concatenate([places, half], axis=1))  # middle, and half a width and height
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    sides = [""] * len(places)
    for head in np.argsort(-apart.min(axis=1), kind="stable"):
        room = np.array([_CHARACTER * len(names[head]) / 2, _LINE / 2])
        for side, direction in _SIDES.items():
            middle = places[head] + np.array(direction) * (room + size / 2 + 3)
            box = np.concatenate([middle, room])
            if not any(_meet(box, other) for other in taken):
                sides[head] = side
                taken.append(box)
                break
    return sides


def _meet(one: FloatArray, other: FloatArray) -> bool:
    return bool((np.abs(one[:2] - other[:2]) < one[2:] + other[2:]).all())
