"""Memory and operations of attention: a model's shape, the calculator's settings and its results."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.records.source import Source
from explorer.records.text import FloatArray, IntArray


@dataclass(frozen=True)
class AttentionShape:
    """The shape of one stack's attention layers."""

    name: str  # "encoder", "decoder" or "cross"
    causal: bool  # whether a token sees only those up to itself
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_head: int  # width of queries and keys
    d_value: int  # width of values, d_head in nearly every model
    # Most tokens that a query sees in each layer, None for all; empty without any limit.
    windows: tuple[int | None, ...] = ()

    def shared(self, n_kv_heads: int) -> AttentionShape:
        """The stack with another number of key/value heads."""
        return replace(self, n_kv_heads=n_kv_heads)

    def kv_head(self, head: int) -> int:
        """The key/value head that query head ``head`` reads."""
        return head // (self.n_heads // self.n_kv_heads)

    def width(self, layer: int, n_tokens: int) -> int:
        """Number of ``n_tokens`` that the last one sees in a layer."""
        window = self.windows[layer] if self.windows else None
        return n_tokens if window is None else min(n_tokens, window)


@dataclass(frozen=True)
class ModelShape:
    """A model's stacks, and what else its cost depends on."""

    model: str
    stacks: tuple[AttentionShape, ...]
    n_parameters: int
    dtype: str  # of its weights when loaded, such as "float32"
    method: str  # of its capture: "recorder" or "eager"
    max_tokens: int | None  # longest text it reads; None without a known limit
    per_token: float  # bytes of a capture per token
    per_cell: float  # bytes of a capture per pair of tokens

    @property
    def keeps_cache(self) -> bool:
        """Whether it generates text token by token, with a key/value cache."""
        return any(stack.name != "encoder" for stack in self.stacks)

    @property
    def cached(self) -> tuple[AttentionShape, ...]:
        """The stacks with a cache: decoder and cross; an encoder counts as if it had one."""
        return tuple(stack for stack in self.stacks if stack.name != "encoder") or self.stacks


@dataclass(frozen=True)
class CostSettings:
    """Settings of the calculator: ``sharing`` is "own" or a number of key/value heads."""

    n_tokens: int = 4096
    batch: int = 1
    precision: str = "float16"
    sharing: str = "own"


@dataclass(frozen=True)
class Sharing:
    """One way to share keys and values among query heads.

    ``kind`` is "multi-head", "grouped" or "multi-query"; ``own`` marks the model's own way,
    ``chosen`` the one in the settings.
    """

    kind: str
    n_kv_heads: int
    own: bool
    chosen: bool


@dataclass(frozen=True)
class CacheCost:
    """Bytes of the key/value cache with one way of sharing."""

    sharing: Sharing
    per_token: int  # bytes of one more token of one text, before any layer's window is full
    total: int  # at the chosen context length
    curve: FloatArray  # [T], at ``Costs.lengths``


@dataclass(frozen=True)
class Growth:
    """A quantity at the chosen context length, and its ``curve`` [T] at ``Costs.lengths``."""

    total: int
    curve: FloatArray


@dataclass(frozen=True)
class Costs:
    """Memory and operations of a model's attention at one context length, and by context length."""

    source: Source
    shape: ModelShape
    settings: CostSettings
    lengths: IntArray  # context lengths in tokens [T], 1 to a million
    caches: tuple[CacheCost, ...]  # one for each way of sharing, most key/value heads first
    weights: int  # bytes of the model's weights at the chosen precision
    maps: Growth  # bytes of all attention maps of one text, in float32
    vectors: Growth  # bytes of the queries, keys and values of one text, which a capture stores
    captured: int  # bytes of a whole capture of one text, residual stream included
    forward: Growth  # operations of attention in a pass over one text, all cells
    needed: int  # operations in unmasked cells only
    step: Growth | None  # operations of attention for one more token with a cache; None for an encoder

    @property
    def chosen(self) -> CacheCost:
        """The cache with the chosen sharing."""
        return next(cache for cache in self.caches if cache.sharing.chosen)
