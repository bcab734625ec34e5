"""A head's spaces: queries and keys as points, and its weight matrices as linear maps."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.source import Source
from explorer.records.text import FloatArray

MOST_PAIRS = 100  # lines that a picture carries


@dataclass(frozen=True)
class Pair:
    """A query's weight on a key: which text, and their places in it."""

    text: int
    query: int
    key: int
    weight: float


@dataclass(frozen=True)
class TextPoints:
    """One text's queries and keys in the plane.

    Attributes:
        text: as it was typed.
        queries, keys: labels [Q] and [K].
        query_points, key_points: where they are [Q, 2] and [K, 2]; NaN for a first token that
            is left out.
        strongest: for each query its strongest pairs, strongest first.
        received: each key's mean weight over the queries that may see it [K].
    """

    text: str
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    query_points: FloatArray
    key_points: FloatArray
    strongest: tuple[tuple[Pair, ...], ...]
    received: FloatArray


@dataclass(frozen=True)
class QueryKeyPoints:
    """A head's queries and keys in one plane, fitted on both together.

    Attributes:
        kv_head: whose keys these are, where heads share them.
        before: whether queries and keys are those before rotation.
        aligned: whether one vector was added to all keys, so that their mean is the queries'.
        drop_first: whether each text's first token was left out of fit and picture.
        texts: one or several; the first is the one the query is chosen in.
        pairs: the strong ones, strongest first, at most ``MOST_PAIRS``.
        least: what a pair's weight is at least.
        query: the chosen one, in the first text.
        chosen: its strongest pairs.
        origin: where the vector of zeros is [2], which dot products are measured from.
        explained_variance: share of the variance on each axis [2].
        agreement: correlation of dot products in the plane with those of the full space, over
            the keys each query may see, less the query's mean; NaN where nothing varies.
        shifts: whether what is added to all keys alike leaves the weights as they are: no soft
            cap, no learned sink.
        warnings: what a reader must know of the plane.
        remarks: settings that this model does not have, in words.
    """

    source: Source
    stack: str
    layer: int
    head: int
    kv_head: int
    before: bool
    aligned: bool
    drop_first: bool
    texts: tuple[TextPoints, ...]
    pairs: tuple[Pair, ...]
    least: float
    query: int
    chosen: tuple[Pair, ...]
    origin: FloatArray
    explained_variance: FloatArray
    agreement: float
    shifts: bool
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinearMapPlanes:
    """A head's weight matrix as a linear map from one plane to another.

    The plane before is the PCA plane of what the map is given, x̄ + a·c₁ + b·c₂; the plane after
    that of what it gives. The grid's lines stay straight, so that their ends are enough.

    Attributes:
        which: "query", "key" or "value".
        of_head: the head, or the key/value head, that the map belongs to.
        shared: how many query heads use it.
        labels: the tokens [N].
        before, after: the tokens in the two planes [N, 2].
        grid_before, grid_after: ends of the lines [lines, 2 ends, 2]: those along the first axis
            before, and those along the second.
        plane_map: the map from plane to plane [2, 2]: (a, b) ↦ (a, b)·plane_map.
        lengths: how long a step of 1 along each axis before becomes, in the full space [2].
        explained_before, explained_after: share of the variance on each axis [2].
        from_plane: the share of the tokens' spread in the plane after that comes from the plane
            before; the rest from dimensions which that does not show. NaN without spread.
        singular_values: of the map's weight, largest first [min(D, d)].
        carrying: how many of them make 90% of the sum of their squares.
        width, d_head: D and d.
        normalised, rotated: what the model does to queries and keys after the map.
        drop_first: whether the first token was left out.
        warnings: what a reader must know of the planes.
    """

    source: Source
    stack: str
    layer: int
    head: int
    which: str
    of_head: int
    shared: int
    labels: tuple[str, ...]
    before: FloatArray
    after: FloatArray
    grid_before: tuple[FloatArray, FloatArray]
    grid_after: tuple[FloatArray, FloatArray]
    plane_map: FloatArray
    lengths: FloatArray
    explained_before: FloatArray
    explained_after: FloatArray
    from_plane: float
    singular_values: FloatArray
    carrying: int
    width: int
    d_head: int
    normalised: bool
    rotated: bool
    drop_first: bool
    warnings: tuple[str, ...] = ()

    @property
    def area(self) -> float:
        """How many times its area a patch of the plane before has in the plane after."""
        return abs(float(self.plane_map[0, 0] * self.plane_map[1, 1] - self.plane_map[0, 1] * self.plane_map[1, 0]))
