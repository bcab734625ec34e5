"""What attention takes to CSV."""

from __future__ import annotations

from explorer.export.formats import to_csv
from explorer.records import Costs


def costs_csv(costs: Costs) -> str:
    """A row a number: first at the context length asked about, then every curve.

    ``sharing`` and ``key_value_heads`` are filled for what depends on them, the cache;
    ``batch`` and ``precision`` are those the number is of. Bytes and operations are whole.
    """
    settings = costs.settings
    rows: list[list[object]] = []

    def row(what: str, n_tokens: int, value: float, unit: str, of: list[object]) -> None:
        rows.append([what, *of, n_tokens, int(value), unit])

    one = [None, None, 1, None]
    in_float32, as_loaded = [None, None, 1, "float32"], [None, None, 1, costs.shape.dtype]
    row("weights", 0, costs.weights, "bytes", [None, None, None, settings.precision])
    for cache in costs.caches:
        way = [cache.sharing.kind, cache.sharing.n_kv_heads]
        row("cache a token", 1, cache.per_token, "bytes", [*way, 1, settings.precision])
        of = [*way, settings.batch, settings.precision]
        row("cache", settings.n_tokens, cache.total, "bytes", of)
        for n_tokens, value in zip(costs.lengths.tolist(), cache.curve.tolist(), strict=True):
            row("cache", n_tokens, value, "bytes", of)
    row("capture", settings.n_tokens, costs.captured, "bytes", as_loaded)
    row("operations, cells left", settings.n_tokens, costs.needed, "FLOP", one)
    grown = [
        ("maps", costs.maps, "bytes", in_float32),
        ("queries, keys, values", costs.vectors, "bytes", as_loaded),
        ("operations, all tokens", costs.forward, "FLOP", one),
    ]
    if costs.step is not None:
        grown.append(("operations, one more token", costs.step, "FLOP", one))
    for what, growth, unit, of in grown:
        row(what, settings.n_tokens, growth.total, unit, of)
        for n_tokens, value in zip(costs.lengths.tolist(), growth.curve.tolist(), strict=True):
            row(what, n_tokens, value, unit, of)
    header = ["what", "sharing", "key_value_heads", "batch", "precision", "tokens", "value", "unit"]
    return to_csv(header, rows)
