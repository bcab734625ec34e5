"""A head's weight matrix as a linear map: tokens and a grid in a plane before it and one after it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from explorer.analysis.projection import fit_basis, flipped, place
from explorer.capture.loading import Progress
from explorer.records import FloatArray, HeadMaps, LinearMapPlanes
from explorer.records.source import Source
from explorer.session.session import Session
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.matrices import MAPS, MatricesSettings

_SHARE = 0.9  # of the squared singular values
_LINES = 8  # about as many across the wider side


def compute(session: Session, settings: MatricesSettings, progress: Progress | None = None) -> LinearMapPlanes:
    """The tokens before and after the chosen map; computed once for all shares of the right picture."""

    def planes() -> LinearMapPlanes:
        stack = settings.stack or None
        cap = session.capture(settings.request, progress)
        maps = head_maps_of(session, settings.request, stack, settings.layer, settings.head)
        source, n = Source.of(cap, stack), cap.stack(stack)
        return linear_map_planes(source, maps, settings.map, n.n_heads, n.n_kv_heads, not settings.first)

    return session.get_or_compute(("matrices", replace(settings, share=1.0, query=0)), planes, progress)


def token_of(record: LinearMapPlanes, query: int) -> int | None:
    """The query among the tokens shown; None where those are another text's keys."""
    if record.stack == "cross" and record.which != "query":
        return None
    place_of = min(max(query, 0), len(record.labels) - 1 + record.drop_first) - record.drop_first
    return place_of if place_of >= 0 else None


def linear_map_planes(
    source: Source, maps: HeadMaps, which: str, n_heads: int, n_kv_heads: int, drop_first: bool
) -> LinearMapPlanes:
    """What one of a head's maps does to the plane its tokens spread in most.

    Args:
        source: the model and the text.
        maps: the head's maps, with their inputs.
        which: "query", "key" or "value".
        n_heads: of the layer.
        n_kv_heads: of the layer.
        drop_first: leave the first token out of fits and picture.

    Raises:
        ValueError: an unknown map, or no token left.
    """
    if which not in MAPS:
        raise ValueError(f"there is no map '{which}': use {', '.join(MAPS)}")
    queries = which == "query"
    labels = (maps.queries if queries else maps.keys)[drop_first:]
    if not labels:
        raise ValueError("without its first token there is none left: show it, or type more")
    linear = {"query": maps.query, "key": maps.key, "value": maps.value}[which]
    inputs = np.asarray(maps.given_queries if queries else maps.given_keys, np.float64)[drop_first:]
    weight = np.asarray(linear.weight, np.float64)
    outputs = inputs @ weight + np.asarray(linear.bias, np.float64)
    before = fit_basis(inputs, 2, "none", labels, advice=False)
    after = fit_basis(outputs, 2, "none", labels, advice=False)
    points = place(before, inputs)
    # The sign of a component is arbitrary: the axes after point where the tokens come from.
    agreement = (points * place(after, outputs)).sum(axis=0)
    after = flipped(after, np.where(agreement < 0, -1.0, 1.0))
    mapped_axes = before.components @ weight
    plane_map = mapped_axes @ after.components.T
    mapped = place(after, outputs)
    grid = _grid(points)
    singular = np.linalg.svd(weight, compute_uv=False)
    spread = float((mapped**2).sum())
    return LinearMapPlanes(
        source=source,
        stack=maps.stack,
        layer=maps.layer,
        head=maps.head,
        which=which,
        of_head=maps.head if queries else maps.kv_head,
        shared=1 if queries else n_heads // n_kv_heads,
        labels=labels,
        before=points,
        after=mapped,
        grid_before=grid,
        # The mean is mapped to the mean, so that the map between the planes needs no bias.
        grid_after=(grid[0] @ plane_map, grid[1] @ plane_map),
        plane_map=plane_map,
        lengths=np.linalg.norm(mapped_axes, axis=1),
        explained_before=before.explained_variance,
        explained_after=after.explained_variance,
        # Components before are uncorrelated, so that the shares of two of them and of the rest add up.
        from_plane=float(((points @ plane_map) ** 2).sum()) / spread if spread else math.nan,
        singular_values=singular,
        carrying=_carrying(singular),
        width=weight.shape[0],
        d_head=weight.shape[1],
        normalised=maps.normalised and which != "value",
        rotated=maps.rotated and which != "value",
        drop_first=drop_first,
        warnings=(
            *(f"before: {warning}" for warning in before.warnings),
            *(f"after: {warning}" for warning in after.warnings),
        ),
    )


def _grid(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ends of the lines of a square grid around the points, through zero [lines, 2 ends, 2]."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = float((high - low).max())
    step = _nice(span / _LINES) if span > 0 else 1.0
    starts = np.minimum(np.floor(low / step), -1).astype(int)
    stops = np.maximum(np.ceil(high / step), 1).astype(int)
    lines = []
    for along, across in ((0, 1), (1, 0)):
        ticks = np.arange(starts[across], stops[across] + 1) * step
        ends = np.empty((len(ticks), 2, 2))
        ends[:, :, along] = np.array([starts[along], stops[along]]) * step
        ends[:, :, across] = ticks[:, None]
        lines.append(ends)
    return lines[0], lines[1]


def _nice(step: float) -> float:
    """The smallest of 1, 2, 5, 10, … that is not less."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))


def _carrying(singular: FloatArray) -> int:
    """How many directions carry ``_SHARE`` of the squared singular values."""
    squares = singular**2
    if not squares.sum():
        return 0
    return int(np.searchsorted(np.cumsum(squares) / squares.sum(), _SHARE - 1e-12)) + 1
