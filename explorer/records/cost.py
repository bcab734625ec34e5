"""What attention takes in memory and work: a model's shape, what is asked, and the numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.records.source import Source
from explorer.records.text import FloatArray, IntArray


@dataclass(frozen=True)
class AttentionShape:
    """One stack's attention layers, as far as their cost goes.

    Attributes:
        name: "encoder", "decoder" or "cross".
        causal: whether a token sees only those up to itself.
        d_head: width of a head's queries and keys.
        d_value: width of a head's values, d_head in nearly every model.
        windows: for each layer how many tokens a query sees at most, None for all; empty
            where no layer has such a limit.
    """

    name: str
    causal: bool
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    d_value: int
    windows: tuple[int | None, ...] = ()

    def shared(self, n_kv_heads: int) -> AttentionShape:
        """The same with another number of key/value heads."""
        return replace(self, n_kv_heads=n_kv_heads)

    def kv_head(self, head: int) -> int:
        """The key/value head that query head ``head`` reads."""
        return head // (self.n_heads // self.n_kv_heads)

    def width(self, layer: int, n_tokens: int) -> int:
        """How many of ``n_tokens`` the last one sees in a layer."""
        window = self.windows[layer] if self.windows else None
        return n_tokens if window is None else min(n_tokens, window)


@dataclass(frozen=True)
class ModelShape:
    """A model's stacks, and what else its cost depends on.

    ``dtype`` is what its numbers are loaded as ("float32"); ``method`` is how it is captured
    ("recorder" or "eager"); it reads at most ``max_tokens`` (None: no limit is known); a capture
    in all keeps ``per_token`` bytes a token and
    ``per_cell`` bytes a pair of tokens.
    """

    model: str
    stacks: tuple[AttentionShape, ...]
    n_parameters: int
    dtype: str
    method: str
    max_tokens: int | None
    per_token: float
    per_cell: float

    @property
    def keeps_cache(self) -> bool:
        """Whether it makes text token by token, so that keys and values are kept."""
        return any(stack.name != "encoder" for stack in self.stacks)

    @property
    def cached(self) -> tuple[AttentionShape, ...]:
        """The stacks with a cache: decoder and cross; of an encoder itself, as if it kept one."""
        kept = tuple(stack for stack in self.stacks if stack.name != "encoder")
        return kept or self.stacks


@dataclass(frozen=True)
class CostSettings:
    """What the calculator is asked: ``sharing`` is "own" or a number of key/value heads."""

    n_tokens: int = 4096
    batch: int = 1
    precision: str = "float16"
    sharing: str = "own"


@dataclass(frozen=True)
class Sharing:
    """One way to share keys and values among query heads.

    ``kind`` is "multi-head", "grouped" or "multi-query"; ``own`` marks the model's own way,
    ``chosen`` the one asked about.
    """

    kind: str
    n_kv_heads: int
    own: bool
    chosen: bool


@dataclass(frozen=True)
class CacheCost:
    """Key/value-cache bytes of a model that shares in one way.

    ``per_token`` is what a token adds, of one text, before any layer's window is full;
    ``total`` is at the context length asked about, ``curve`` [T] at ``Costs.lengths``.
    """

    sharing: Sharing
    per_token: int
    total: int
    curve: FloatArray


@dataclass(frozen=True)
class Growth:
    """A quantity at the context length asked about, and its ``curve`` [T] at ``Costs.lengths``."""

    total: int
    curve: FloatArray


@dataclass(frozen=True)
class Costs:
    """What a model's attention takes at one context length, and by context length.

    Attributes:
        source: the model.
        lengths: context lengths in tokens [T], 1 to a million.
        caches: one for each way of sharing, most key/value heads first.
        weights: bytes of the model's weights at the precision asked about.
        maps: bytes of all attention maps of one text, in float32.
        vectors: bytes of the queries, keys and values of one text, which a capture keeps.
        captured: bytes of a whole capture of one text, residual stream included.
        forward: operations of attention in a pass over all tokens of one text, every cell.
        needed: those of them in cells that the mask leaves.
        step: operations of attention for one more token with a cache; None for an encoder.
    """

    source: Source
    shape: ModelShape
    settings: CostSettings
    lengths: IntArray
    caches: tuple[CacheCost, ...]
    weights: int
    maps: Growth
    vectors: Growth
    captured: int
    forward: Growth
    needed: int
    step: Growth | None

    @property
    def chosen(self) -> CacheCost:
        """The cache of the sharing asked about."""
        return next(cache for cache in self.caches if cache.sharing.chosen)
