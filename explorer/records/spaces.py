"""A head's spaces: queries and keys as points, and weight matrices as linear maps."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.records.source import Source
from explorer.records.text import FloatArray

MOST_PAIRS = 100  # lines in a figure


@dataclass(frozen=True)
class Pair:
    """A query's weight on a key, by the indices of text, query and key."""

    text: int
    query: int
    key: int
    weight: float


@dataclass(frozen=True)
class TextPoints:
    """One text's queries and keys in the plane."""

    text: str
    queries: tuple[str, ...]  # labels [Q]
    keys: tuple[str, ...]  # labels [K]
    query_points: FloatArray  # [Q, 2]; NaN for a first token that is left out
    key_points: FloatArray  # [K, 2], likewise
    strongest: tuple[tuple[Pair, ...], ...]  # each query's strongest pairs, strongest first
    received: FloatArray  # each key's mean weight over the queries that may see it [K]


@dataclass(frozen=True)
class QueryKeyPoints:
    """A head's queries and keys in one plane, fitted on both together."""

    source: Source
    stack: str
    layer: int
    head: int
    kv_head: int  # key/value head of the keys
    before: bool  # whether queries and keys are those before rotation
    aligned: bool  # whether one vector was added to all keys, so that their mean is the queries'
    drop_first: bool  # whether each text's first token was left out of fit and figure
    texts: tuple[TextPoints, ...]  # the query is chosen in the first
    pairs: tuple[Pair, ...]  # at most ``MOST_PAIRS``, strongest first
    least: float  # smallest weight of a pair
    query: int  # the chosen one, in the first text
    chosen: tuple[Pair, ...]  # its strongest pairs
    origin: FloatArray  # point of the zero vector [2], from which dot products are measured
    explained_variance: FloatArray  # share on each axis [2]
    # Correlation of dot products in the plane with those of the full space, over the keys that each query may see,
    # less the query's mean; NaN where nothing varies.
    agreement: float
    shifts: bool  # whether adding a vector to all keys leaves the weights unchanged: no soft cap, no learned sink
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  # settings that this model does not have, in words


@dataclass(frozen=True)
class LinearMapPlanes:
    """A head's weight matrix as a linear map from one plane to another.

    The plane before is the PCA plane of the map's inputs, x̄ + a·c₁ + b·c₂; the plane after that of
    its outputs. The grid's lines stay straight, so that their ends are enough.
    """

    source: Source
    stack: str
    layer: int
    head: int
    which: str  # "query", "key" or "value"
    of_head: int  # the head, or the key/value head, that the map belongs to
    shared: int  # number of query heads that use it
    labels: tuple[str, ...]  # of the tokens [N]
    before: FloatArray  # the tokens in the plane before [N, 2]
    after: FloatArray  # the tokens in the plane after [N, 2]
    # Ends of the lines [lines, 2 ends, 2] along the first axis, and along the second.
    grid_before: tuple[FloatArray, FloatArray]
    grid_after: tuple[FloatArray, FloatArray]  # their images
    plane_map: FloatArray  # from plane to plane [2, 2]: (a, b) ↦ (a, b)·plane_map
    lengths: FloatArray  # of the image of a unit step along each axis before, in the full space [2]
    explained_before: FloatArray  # share of the variance on each axis [2]
    explained_after: FloatArray  # share of the variance on each axis [2]
    # Share of the tokens' spread in the plane after that comes from the plane before; NaN without spread.
    from_plane: float
    singular_values: FloatArray  # of the weight matrix, largest first [min(D, d)]
    carrying: int  # number of singular values with 90% of the sum of squares
    width: int  # D
    d_head: int
    normalised: bool  # whether the model normalises queries and keys after the map
    rotated: bool  # whether the model rotates queries and keys after the map
    drop_first: bool  # whether the first token was left out
    warnings: tuple[str, ...] = ()

    @property
    def area(self) -> float:
        """Factor by which the map from plane to plane scales areas."""
        return abs(float(self.plane_map[0, 0] * self.plane_map[1, 1] - self.plane_map[0, 1] * self.plane_map[1, 0]))
