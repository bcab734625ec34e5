"""What attention takes, to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from explorer.records import Costs, FloatArray, Growth
from explorer.records.table import Table
from explorer.saving.formats import versions

# Sharing, key/value heads, batch and precision that a number is of.
_Of = tuple[str | None, int | None, int | None, str | None]


def costs_json(costs: Costs, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every number with all that made it: bytes, and floating-point operations (FLOP).

    A ``curve`` has a value for each of ``lengths``, context lengths in tokens; a ``total`` is
    at the one asked about.

    Args:
        costs: of a model.
        settings: what else was chosen (revision, device, dtype, …).
    """
    settings, shape = settings or {}, costs.shape
    return {
        "kind": "cost",
        "model": shape.model,
        "revision": settings.get("revision"),
        "stacks": [asdict(stack) for stack in shape.stacks],
        "n_parameters": shape.n_parameters,
        "keeps_cache": shape.keeps_cache,
        "weights_bytes": costs.weights,
        "lengths": costs.lengths.tolist(),
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
            for cache in costs.caches
        ],
        "maps_bytes": _growth(costs.maps),
        "queries_keys_values_bytes": _growth(costs.vectors),
        "capture_bytes": costs.captured,
        "operations": _growth(costs.forward),
        "operations_in_cells_left": costs.needed,
        "operations_one_more_token": None if costs.step is None else _growth(costs.step),
        "settings": {
            "tokens": costs.settings.n_tokens,
            "batch": costs.settings.batch,
            "precision": costs.settings.precision,
            "sharing": costs.settings.sharing,
            **settings,
        },
        "versions": versions(),
    }


def _growth(growth: Growth) -> dict[str, Any]:
    return {"total": growth.total, "curve": _whole(growth.curve)}


def _whole(curve: FloatArray) -> list[int]:
    return [int(value) for value in curve.tolist()]


def costs_table(costs: Costs) -> Table:
    """A row a number: first at the context length asked about, then every curve.

    ``sharing`` and ``key_value_heads`` are filled for what depends on them, the cache;
    ``batch`` and ``precision`` are those the number is of. Bytes and operations are whole.
    """
    settings = costs.settings
    rows: list[list[object]] = []

    def row(what: str, of: _Of, n_tokens: int, value: float, unit: str) -> None:
        rows.append([what, *of, n_tokens, int(value), unit])

    def grown(what: str, of: _Of, total: int, curve: FloatArray, unit: str) -> None:
        row(what, of, settings.n_tokens, total, unit)
        for n_tokens, value in zip(costs.lengths.tolist(), curve.tolist(), strict=True):
            row(what, of, n_tokens, value, unit)

    row("weights", (None, None, None, settings.precision), 0, costs.weights, "bytes")
    for cache in costs.caches:
        kind, heads = cache.sharing.kind, cache.sharing.n_kv_heads
        row("cache a token", (kind, heads, 1, settings.precision), 1, cache.per_token, "bytes")
        of = (kind, heads, settings.batch, settings.precision)
        grown("cache", of, cache.total, cache.curve, "bytes")
    loaded: _Of = (None, None, 1, costs.shape.dtype)
    row("capture", loaded, settings.n_tokens, costs.captured, "bytes")
    grown("queries, keys, values", loaded, costs.vectors.total, costs.vectors.curve, "bytes")
    grown("maps", (None, None, 1, "float32"), costs.maps.total, costs.maps.curve, "bytes")
    one: _Of = (None, None, 1, None)
    row("operations, cells left", one, settings.n_tokens, costs.needed, "FLOP")
    grown("operations, all tokens", one, costs.forward.total, costs.forward.curve, "FLOP")
    if costs.step is not None:
        grown("operations, one more token", one, costs.step.total, costs.step.curve, "FLOP")
    header = ["what", "sharing", "key_value_heads", "batch", "precision", "tokens", "value", "unit"]
    return Table.of(header, rows)
