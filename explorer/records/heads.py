"""What is shown and saved of attention heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.records.source import Source
from explorer.records.text import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Window:
    """Which part of a larger map is drawn, and how coarsely.

    The part begins at token ``query`` and ``key``; each cell holds the largest weight of
    ``per_query`` × ``per_key`` tokens. ``whole`` is the full map's shape.
    """

    query: int
    key: int
    per_query: int
    per_key: int
    whole: tuple[int, int]


@dataclass(frozen=True)
class MapOptions:
    """How a head's map is read; as captured by default.

    Attributes:
        words: merge the pieces of a word (sum over a key's pieces, mean over a query's).
        special: keep the tokens that the tokenizer added; without them rows no longer sum
            to 1, as nothing is renormalised.
        part: "all", or of a pair the block drawn ("A→B": the first text's queries, the
            second's keys).
        aggregate: "head", or several heads taken together: their "mean", their "max", or, of
            norm-based weights of a layer, the length of their "sum".
        heads: which (layer, head) are taken together; none means all heads of the layer.
        norm: norm-based weights ‖A[q,k]·(x_k W_V + b_V) W_O‖ instead of A[q,k].
    """

    words: bool = False
    special: bool = True
    part: str = "all"
    aggregate: str = "head"
    heads: tuple[tuple[int, int], ...] = ()
    norm: bool = False


@dataclass(frozen=True)
class Sink:
    """A token on which a head rests: the first, a special one or a punctuation mark.

    ``key`` is its column in the map, ``share`` the part of all queries' weight it gets.
    """

    key: int
    label: str
    share: float


@dataclass(frozen=True)
class HeadMap:
    """One head's attention as it is drawn and saved, and the switches that were on.

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

    Lines are ordered strongest first; masked cells and weights of 0 are none.

    Attributes:
        heads: which heads, in the order of their colours.
        line_heads: for each line the place of its head in ``heads`` [n].
        line_queries: index of its query [n].
        line_keys: index of its key [n].
        weights: its weight [n].
        threshold: a line's least weight.
        count: the most lines that were asked for.
        above: how many weights reach the threshold, drawn or not.
        shares: of each head, the share of its weight that the lines carry.
    """

    source: Source
    stack: str
    layer: int
    heads: tuple[int, ...]
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    query_notes: tuple[str, ...]
    key_notes: tuple[str, ...]
    causal: bool
    switches: MapOptions
    line_heads: IntArray
    line_queries: IntArray
    line_keys: IntArray
    weights: FloatArray
    threshold: float
    count: int
    above: int
    shares: tuple[float, ...]


@dataclass(frozen=True)
class HeadComparison:
    """Two heads' maps and their difference, second minus first, on the tokens both have.

    Attributes:
        first: the map on the left, merged to words where the tokens differ.
        second: the map on the right, likewise.
        queries: labels of both sides' queries in one order [Q].
        keys: labels of both sides' keys in one order [K].
        query_places: row of each query in the first and the second map [Q, 2]; -1 where
            that side has no such query.
        key_places: the same of the keys and their columns [K, 2].
        difference: second minus first [Q, K]; NaN where one side has no such cell or its
            mask forbids it. None where nothing could be aligned.
        remarks: what was merged, matched or left out, in words.
    """

    first: HeadMap
    second: HeadMap
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    query_places: IntArray
    key_places: IntArray
    difference: FloatArray | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class HeadsOverview:
    """All heads of a stack as small maps: ``tiles`` [L, H, t, t] in 0…1, each on its own scale.

    ``whole`` is how many queries and keys the maps have.
    """

    model: str
    stack: str
    causal: bool
    tiles: FloatArray
    whole: tuple[int, int]


@dataclass(frozen=True)
class HeadNumbers:
    """A number for each head of a stack.

    Attributes:
        values: the numbers [L, H], NaN where undefined.
        name: what they are, in words.
        unit: as "nats"; empty for a number without.
    """

    values: FloatArray
    name: str
    unit: str


@dataclass(frozen=True)
class AllHeads:
    """The picture of all heads of a stack: their small maps, or a number each.

    Attributes:
        stack: "encoder", "decoder" or "cross".
        causal: whether no token sees a later one.
        queries: labels of the queries [Q].
        keys: labels of the keys [K].
        maps: the small maps.
        numbers: what is shown of each head instead; None where it is the maps.
        show: "maps", "link", or a measure's name.
    """

    source: Source
    stack: str
    causal: bool
    queries: tuple[str, ...]
    keys: tuple[str, ...]
    maps: HeadsOverview
    numbers: HeadNumbers | None
    show: str


@dataclass(frozen=True)
class BestOffsets:
    """For each head the fixed offset k − q that gathers most weight.

    Attributes:
        offsets: in tokens, −1 being the previous one [L, H].
        scores: the mean weight at it over the queries that have such a key [L, H].
    """

    offsets: IntArray
    scores: FloatArray


@dataclass(frozen=True)
class Null:
    """A measure of every head beside what it is on the same text with its tokens shuffled.

    Attributes:
        measure: the measure's name.
        score: on the text as it stands [L, H].
        mean: over the shuffled texts [L, H].
        std: their standard deviation, n − 1 below [L, H].
        z: how many standard deviations the score lies from the mean [L, H].
        draws: how many times the tokens were shuffled.
        seed: of the generator that shuffled them.
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
    """Numbers of every head of a stack, as they are shown and saved.

    Attributes:
        stack: "encoder", "decoder" or "cross".
        columns: values [L, H] by the column's name, NaN where undefined.
        link: the two linked tokens, where there is a column of them.
        draws: how many times the tokens were shuffled for the nulls among the columns;
            None without nulls.
        seed: of the generator that shuffled them; None without nulls.
    """

    source: Source
    stack: str
    columns: Mapping[str, FloatArray]
    link: str = ""
    draws: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class HeadPoints:
    """Heads as points in a plane: near each other where their attention is alike.

    Attributes:
        points: coordinates [L·H, 2]; head h of layer l is row l·H + h.
        stress: Kruskal's stress-1, how far the drawn distances are from the true ones, as a
            share; under 0.1 is good, over 0.2 poor.
        n_heads: heads a layer H.
    """

    points: FloatArray
    stress: float
    n_heads: int


@dataclass(frozen=True)
class HeadDistances:
    """All heads of a stack as points, with what is known of each: what is drawn and saved.

    Attributes:
        points: where the heads are drawn, and how well that fits.
        nearest: of each head the place of the one that truly is least far [L·H], which the
            plane may not show; −1 where there is only one head.
        nearest_distance: how far that one is, in nats [L·H]; NaN where there is none.
        measures: what the heads do, by the measure's name, [L, H] each.
        facts: a line about each head [L][H].
        n_tokens: how many queries the distances are means over.
    """

    source: Source
    stack: str
    points: HeadPoints
    nearest: IntArray
    nearest_distance: FloatArray
    measures: dict[str, FloatArray]
    facts: list[list[str]]
    n_tokens: int
