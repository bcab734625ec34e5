"""Results about attention heads, as the page shows them and files store them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.records.source import Source
from explorer.records.text import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Window:
    """The part of a larger map that is shown, and how coarsely.

    The part begins at token ``query`` and ``key``; each cell is the largest weight of
    ``per_query`` × ``per_key`` tokens. ``whole`` is the full map's shape.
    """

    query: int
    key: int
    per_query: int
    per_key: int
    whole: tuple[int, int]


@dataclass(frozen=True)
class MapOptions:
    """How a head's map is read; as captured by default."""

    words: bool = False  # merge the pieces of a word (sum over a key's pieces, mean over a query's)
    special: bool = True  # include special tokens; without them rows no longer sum to 1 (not renormalised)
    part: str = "all"  # "all", or a block of a pair ("A→B": queries of the first text, keys of the second)
    # "head", or several heads: "mean", "max", or for a layer's norm-based weights the norm of the "sum".
    aggregate: str = "head"
    heads: tuple[tuple[int, int], ...] = ()  # the (layer, head) pairs to aggregate; empty means all heads of the layer
    norm: bool = False  # norm-based weights ‖A[q,k]·(x_k W_V + b_V) W_O‖ instead of A[q,k]


@dataclass(frozen=True)
class Sink:
    """An attention sink of a head: the first token, a special one or a punctuation mark.

    ``key`` is its column in the map, ``share`` its part of all queries' weight.
    """

    key: int
    label: str
    share: float


@dataclass(frozen=True)
class HeadMap:
    """One head's attention map, and the options that it was read with.

    ``weights`` [Q, K] are 0 where ``allowed`` is False. ``sinks`` are those of the whole map,
    also where ``window`` is a part of it.
    """

    source: Source
    stack: str
    layer: int
    head: int
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    query_notes: tuple[str, ...]
    key_notes: tuple[str, ...]
    weights: FloatArray
    allowed: BoolArray
    causal: bool
    switches: MapOptions = MapOptions()
    sinks: tuple[Sink, ...] = ()
    window: Window | None = None


@dataclass(frozen=True)
class HeadLines:
    """The strongest weights of some heads of one layer, each a line from a query to a key.

    Lines are ordered strongest first; masked cells and weights of 0 have no line.
    """

    source: Source
    stack: str
    layer: int
    heads: tuple[int, ...]  # in the order of their colours
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    query_notes: tuple[str, ...]
    key_notes: tuple[str, ...]
    causal: bool
    switches: MapOptions
    line_heads: IntArray  # index in ``heads`` of each line's head [n]
    line_queries: IntArray  # index of each line's query [n]
    line_keys: IntArray  # index of each line's key [n]
    weights: FloatArray  # of each line [n]
    threshold: float  # smallest weight of a line
    count: int  # largest number of lines
    above: int  # number of weights that reach the threshold, with a line or without
    shares: tuple[float, ...]  # of each head's weight, the share that its lines have


@dataclass(frozen=True)
class HeadComparison:
    """Two heads' maps and their difference, second minus first, on the tokens both have."""

    first: HeadMap  # the map on the left, merged to words where the tokens differ
    second: HeadMap  # the map on the right, likewise
    queries: tuple[str, ...]  # labels of both sides' queries in one order [Q]
    keys: tuple[str, ...]  # labels of both sides' keys in one order [K]
    query_places: IntArray  # row of each query in both maps [Q, 2]; -1 where that map does not have it
    key_places: IntArray  # column of each key in both maps [K, 2], likewise
    # [Q, K]; NaN where a cell is missing or masked on one side. None where nothing could be aligned.
    difference: FloatArray | None
    remarks: tuple[str, ...]  # what was merged, matched or left out, in words


@dataclass(frozen=True)
class HeadsOverview:
    """All heads of a stack as small maps: ``tiles`` [L, H, t, t] in 0…1, each on its own scale.

    ``whole`` is the number of queries and keys.
    """

    model: str
    stack: str
    causal: bool
    tiles: FloatArray
    whole: tuple[int, int]


@dataclass(frozen=True)
class HeadNumbers:
    """A number for each head of a stack."""

    values: FloatArray  # [L, H], NaN where undefined
    name: str  # the quantity in words
    unit: str  # such as "nats"; empty without one


@dataclass(frozen=True)
class AllHeads:
    """The overview of all heads of a stack: their small maps, or a number for each."""

    source: Source
    stack: str
    causal: bool
    queries: tuple[str, ...]  # labels [Q]
    keys: tuple[str, ...]  # labels [K]
    maps: HeadsOverview
    numbers: HeadNumbers | None  # shown instead of the maps; None where the maps are shown
    show: str  # "maps", "link", or a measure's name


@dataclass(frozen=True)
class BestOffsets:
    """For each head the fixed offset k − q with the most weight.

    Attributes:
        offsets: in tokens, −1 for the previous one [L, H].
        scores: mean weight at the offset, over the queries that have such a key [L, H].
    """

    offsets: IntArray
    scores: FloatArray


@dataclass(frozen=True)
class Null:
    """A measure of every head, with its distribution on the same text with shuffled tokens.

    Attributes:
        measure: the measure's name.
        score: on the text itself [L, H].
        mean: over the shuffled texts [L, H].
        std: standard deviation over the shuffled texts, with n − 1 [L, H].
        z: distance of the score from the mean, in standard deviations [L, H].
        draws: number of shuffles.
        seed: of the random generator.
    """

    measure: str
    score: FloatArray
    mean: FloatArray
    std: FloatArray
    z: FloatArray
    draws: int
    seed: int


@dataclass(frozen=True)
class HeadsTable:
    """Numbers of every head of a stack."""

    source: Source
    stack: str
    columns: Mapping[str, FloatArray]  # values [L, H] by the column's name, NaN where undefined
    link: str = ""  # the two linked tokens, if there is a column for them
    draws: int | None = None  # number of shuffles for the nulls among the columns; None without nulls
    seed: int | None = None  # of the shuffles; None without nulls


@dataclass(frozen=True)
class HeadPoints:
    """Heads as points in a plane: near each other where their attention is alike."""

    points: FloatArray  # [L·H, 2]; head h of layer l is row l·H + h
    # Kruskal's stress-1, the relative error of the distances in the plane; under 0.1 is good, over 0.2 poor.
    stress: float
    n_heads: int  # heads per layer H


@dataclass(frozen=True)
class HeadDistances:
    """All heads of a stack as points, with facts about each."""

    source: Source
    stack: str
    points: HeadPoints
    # Index of each head's truly nearest head [L·H], which the plane may not show; −1 for a single head.
    nearest: IntArray
    nearest_distance: FloatArray  # distance to it, in nats [L·H]; NaN for a single head
    measures: dict[str, FloatArray]  # by name, [L, H] each
    facts: list[list[str]]  # a line about each head [L][H]
    n_tokens: int  # number of queries that the distances are means over
