"""The names of heads beside their points, where there is room; for files.

On the page assets/heads-distances.js places them by the same rules, again at every zoom.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.records import FloatArray

_SIDES = {"middle right": (1, 0), "middle left": (-1, 0), "top center": (0, -1), "bottom center": (0, 1)}
_CHARACTER, _LINE = 6.2, 12  # pixels: width of a character, height of a line
_AROUND = 150  # pixels of axes and the colour bar


def name_heads(figure: go.Figure, width: int, height: int) -> go.Figure:
    """Name the heads of ``distances_figure`` (changed) that have room, isolated heads first.

    ``width`` and ``height`` are the figure's, in pixels.
    """
    heads, layout = figure.data[0], figure.layout
    spans = [end - start for start, end in (layout.xaxis.range, layout.yaxis.range)]
    # One unit has the same length on both axes.
    scale = min((width - _AROUND) / spans[0], (height - _AROUND) / spans[1])
    points = scale * np.stack([heads.x, -np.asarray(heads.y)], axis=1)
    names = [".".join(map(str, layer_and_head)) for layer_and_head in heads.customdata]
    sides = _sides(points, names, float(heads.marker.size))
    heads.update(
        mode="markers+text",
        text=[name if side else "" for name, side in zip(names, sides, strict=True)],
        textposition=[side or "middle right" for side in sides],
    )
    return figure


def _sides(points: FloatArray, names: list[str], size: float) -> list[str]:
    """The side of each head's point where its name fits; empty where it fits nowhere."""
    # Boxes are a centre, and half of width and height.
    boxes = list(np.concatenate([points, np.full((len(points), 2), size / 2)], axis=1))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    sides = [""] * len(points)
    for head in np.argsort(-distances.min(axis=1), kind="stable"):
        half = np.array([_CHARACTER * len(names[head]) / 2, _LINE / 2])
        for side, direction in _SIDES.items():
            box = np.concatenate([points[head] + np.array(direction) * (half + size / 2 + 3), half])
            if not any((np.abs(box[:2] - other[:2]) < box[2:] + other[2:]).all() for other in boxes):
                sides[head] = side
                boxes.append(box)
                break
    return sides
