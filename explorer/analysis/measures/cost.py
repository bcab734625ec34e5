"""Bytes and operations of attention, by formula. N tokens, L layers, H heads, d head width.

An operation is one multiplication or one addition, so a multiply-add counts as two.
Softmax, rotation and the projections around attention are not counted.
"""

from __future__ import annotations

from explorer.records import AttentionShape

# Bits of one number; the scales that int8 and int4 formats store in addition are not counted.
BITS = {"float32": 32, "float16": 16, "bfloat16": 16, "int8": 8, "int4": 4}
MOST_TOKENS = 1_000_000
MOST_BATCH = 10_000
# Memory in GB (10⁹ bytes), as the makers state it.
CARDS = (("RTX 4090", 24), ("A100", 40), ("A100, H100", 80), ("H200", 141), ("MI300X", 192))


def check_cost(n_tokens: object, batch: object, precision: str) -> None:
    """Raise ValueError for a context length, batch size or precision out of range."""
    for what, value, most in (("context length", n_tokens, MOST_TOKENS), ("batch", batch, MOST_BATCH)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            shown = "empty" if value in (None, "") else f"{value}"
            raise ValueError(f"the {what} is {shown}: type a whole number from 1 to {most:,}")
    if precision not in BITS:
        raise ValueError(f"unknown precision '{precision}': use {', '.join(BITS)}")


def possible_kv_heads(n_heads: int) -> tuple[int, ...]:
    """Numbers of key/value heads that ``n_heads`` query heads can share evenly, most first."""
    return tuple(n for n in range(n_heads, 0, -1) if n_heads % n == 0)


def bytes_of(numbers: int, precision: str) -> int:
    """Bytes of this many numbers, rounded up."""
    return -(-numbers * BITS[precision] // 8)


def cache_bytes(shape: AttentionShape, n_tokens: int, batch: int = 1, precision: str = "float16") -> int:
    """Bytes of a stack's key/value cache: 2 · L · H_kv · d · N · batch · bytes a number.

    The 2 is for keys and values; where their widths differ it is d + d_v instead. Shazeer
    2019 ("Fast Transformer Decoding") shares one key/value head among all query heads
    (H_kv = 1), Ainslie et al. 2023 ("GQA") one in each group; Pope et al. 2022
    ("Efficiently Scaling Transformer Inference") give the cost of the cache. In a layer with a
    window only the window's tokens are stored. In cross attention N counts the encoder's tokens.

    Raises:
        ValueError: an unusable context length, batch or precision.
    """
    check_cost(n_tokens, batch, precision)
    seen = sum(shape.width(layer, n_tokens) for layer in range(shape.n_layers))
    return bytes_of(seen * _cached_per_token(shape) * batch, precision)


def cache_bytes_per_token(shape: AttentionShape, precision: str = "float16") -> int:
    """Bytes that one more token adds to one text's cache, before any window is full."""
    return cache_bytes(shape, 1, 1, precision)


def _cached_per_token(shape: AttentionShape) -> int:
    """Numbers of a token's keys and values in one layer."""
    return shape.n_kv_heads * (shape.d_head + shape.d_value)


def vector_bytes(shape: AttentionShape, n_tokens: int, precision: str = "float32") -> int:
    """Bytes of a text's queries, keys and values: L · N · (H·d + H_kv·(d + d_v)) · bytes.

    A capture stores these instead of maps; they grow with N. Layers with windows store all tokens,
    too. Cross attention is counted with as many queries as keys.
    """
    check_cost(n_tokens, 1, precision)
    numbers = shape.n_heads * shape.d_head + _cached_per_token(shape)
    return bytes_of(shape.n_layers * n_tokens * numbers, precision)


def map_bytes(shape: AttentionShape, n_tokens: int, precision: str = "float32") -> int:
    """Bytes of a text's attention maps, all heads of all layers: N² · H · L · bytes."""
    check_cost(n_tokens, 1, precision)
    return bytes_of(n_tokens**2 * shape.n_heads * shape.n_layers, precision)


def forward_operations(shape: AttentionShape, n_tokens: int) -> int:
    """Operations of QKᵀ and A·V over N tokens: 2·N²·d·H·L each, 4·N²·d·H·L together.

    Every cell of the map counts, masked ones too, as in an implementation that computes all of
    them (Vaswani et al. 2017 give O(N²·d) for a layer). Sharing keys and values changes nothing:
    each query head still meets every key.
    """
    check_cost(n_tokens, 1, "float32")
    return n_tokens**2 * shape.n_layers * _per_cell(shape)


def needed_operations(shape: AttentionShape, n_tokens: int) -> int:
    """The same in unmasked cells only: N·(N + 1)/2 of N² where the stack is causal.

    An implementation that skips masked blocks comes close (Dao 2023, "FlashAttention-2").
    In a causal layer with a window w a query has at most w cells.
    """
    check_cost(n_tokens, 1, "float32")
    if not shape.causal:
        return forward_operations(shape, n_tokens)
    cells = 0
    for layer in range(shape.n_layers):
        width = shape.width(layer, n_tokens)
        cells += width * (width + 1) // 2 + (n_tokens - width) * width
    return cells * _per_cell(shape)


def step_operations(shape: AttentionShape, n_tokens: int) -> int:
    """Operations of attention for one generated token with a cache: 4·N·d·H·L.

    The new token's query meets N keys, its own included; in cross attention the encoder's N.
    """
    check_cost(n_tokens, 1, "float32")
    cells = sum(shape.width(layer, n_tokens) for layer in range(shape.n_layers))
    return cells * _per_cell(shape)


def _per_cell(shape: AttentionShape) -> int:
    """Operations of a query and a key in all heads of a layer: a product, and a weighted value."""
    return 2 * shape.n_heads * (shape.d_head + shape.d_value)
