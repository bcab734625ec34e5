"""Memory and operations of attention, to files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from explorer.figures.style import model_stem
from explorer.records import CacheCost, Costs, FloatArray, Growth
from explorer.records.table import Table
from explorer.views.inside.cost import CostViewSettings

# Sharing, key/value heads, batch and precision that a number depends on.
_Of = tuple[str | None, int | None, int | None, str | None]


def data(record: Costs, _settings: CostViewSettings | None = None) -> dict[str, Any]:
    """Bytes, and floating-point operations (FLOP).

    A ``curve`` has a value for each of ``lengths``, context lengths in tokens; a ``total`` is at
    the chosen one.
    """
    shape = record.shape
    return {
        "stacks": [asdict(stack) for stack in shape.stacks],
        "n_parameters": shape.n_parameters,
        "keeps_cache": shape.keeps_cache,
        "weights_bytes": record.weights,
        "lengths": record.lengths.tolist(),
        "caches": [
            {
                "sharing": cache.sharing.kind,
                "key_value_heads": cache.sharing.n_kv_heads,
                "own": cache.sharing.own,
                "chosen": cache.sharing.chosen,
                "bytes_a_token": cache.per_token,
                "bytes": cache.total,
                "curve": _whole(cache.curve),
            }
            for cache in record.caches
        ],
        "maps_bytes": _growth(record.maps),
        "queries_keys_values_bytes": _growth(record.vectors),
        "capture_bytes": record.captured,
        "operations": _growth(record.forward),
        "operations_in_cells_left": record.needed,
        "operations_one_more_token": None if record.step is None else _growth(record.step),
    }


def _growth(growth: Growth) -> dict[str, Any]:
    return {"total": growth.total, "curve": _whole(growth.curve)}


def _whole(curve: FloatArray) -> list[int]:
    return [int(value) for value in curve.tolist()]  # Python's, as values may exceed 64 bits


def table(record: Costs, _settings: CostViewSettings | None = None) -> Table:
    """One row per number: first at the chosen context length, then every curve.

    ``sharing`` and ``key_value_heads`` are filled for the cache, which depends on them; ``batch``
    and ``precision`` are those of the number. Bytes and operations are whole.
    """
    settings = record.settings
    rows: list[list[object]] = []

    def add(what: str, of: _Of, n_tokens: int, value: float, unit: str) -> None:
        rows.append([what, *of, n_tokens, int(value), unit])

    def add_growth(what: str, of: _Of, growth: Growth | CacheCost, unit: str) -> None:
        add(what, of, settings.n_tokens, growth.total, unit)
        for n_tokens, value in zip(record.lengths.tolist(), growth.curve.tolist(), strict=True):
            add(what, of, n_tokens, value, unit)

    add("weights", (None, None, None, settings.precision), 0, record.weights, "bytes")
    for cache in record.caches:
        kind, heads = cache.sharing.kind, cache.sharing.n_kv_heads
        add("cache a token", (kind, heads, 1, settings.precision), 1, cache.per_token, "bytes")
        add_growth("cache", (kind, heads, settings.batch, settings.precision), cache, "bytes")
    loaded: _Of = (None, None, 1, record.shape.dtype)
    add("capture", loaded, settings.n_tokens, record.captured, "bytes")
    add_growth("queries, keys, values", loaded, record.vectors, "bytes")
    add_growth("maps", (None, None, 1, "float32"), record.maps, "bytes")
    one: _Of = (None, None, 1, None)
    add("operations, cells left", one, settings.n_tokens, record.needed, "FLOP")
    add_growth("operations, all tokens", one, record.forward, "FLOP")
    if record.step is not None:
        add_growth("operations, one more token", one, record.step, "FLOP")
    header = ["what", "sharing", "key_value_heads", "batch", "precision", "tokens", "value", "unit"]
    return Table.of(header, rows)


def stem(record: Costs, _settings: CostViewSettings) -> str:
    """A file name with the model."""
    return f"{model_stem(record.source.model)}-attention-costs"
