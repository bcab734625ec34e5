"""What attention takes, against numbers by hand, transformers' caches, and captures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

import explorer
from explorer.analysis.measures.cost import (
    cache_bytes,
    cache_bytes_per_token,
    forward_operations,
    map_bytes,
    needed_operations,
    step_operations,
    vector_bytes,
)
from explorer.records import AttentionShape, CostSettings
from explorer.views.inside.cost.compute import costs
from tests.checkpoints import LONG, TEXT
from tests.conftest import Loader

LLAMA_2 = AttentionShape("decoder", True, 32, 32, 32, 128, 128)


LLAMA_3 = LLAMA_2.shared(8)


SMALL = AttentionShape("decoder", True, 2, 4, 2, 3, 3)


def test_llama_2_7b_by_hand() -> None:
    """Half a megabyte a token: 2 · 32 layers · 32 heads · 128 · 2 bytes."""
    assert cache_bytes(LLAMA_2, 4096) == 2_147_483_648
    assert cache_bytes_per_token(LLAMA_2) == 524_288
    assert cache_bytes(LLAMA_3, 4096) == 2_147_483_648 // 4
    assert cache_bytes(LLAMA_2.shared(1), 4096) == 2_147_483_648 // 32
    assert cache_bytes(LLAMA_2, 4096, batch=16) == 16 * 2_147_483_648


@pytest.mark.parametrize(
    ("precision", "expected"), [("float32", 960), ("float16", 480), ("bfloat16", 480), ("int8", 240), ("int4", 120)]
)
def test_precisions(precision: str, expected: int) -> None:
    """2 layers · 2 key/value heads · (3 + 3) numbers · 10 tokens = 240 numbers."""
    assert cache_bytes(SMALL, 10, 1, precision) == expected


def test_half_a_byte_is_rounded_up() -> None:
    assert cache_bytes(replace(SMALL, n_layers=1, n_kv_heads=1, d_value=2), 1, 1, "int4") == 3


def test_keys_and_values_of_different_widths() -> None:
    assert cache_bytes(replace(SMALL, d_value=5), 10, 1, "int8") == 2 * 2 * (3 + 5) * 10


def test_a_window_bounds_its_layer() -> None:
    windowed = replace(SMALL, windows=(4, None))
    # The first layer keeps 4 of 10 tokens, the second all: 14 instead of 20.
    assert cache_bytes(windowed, 10, 1, "int8") == 14 * 2 * 6
    assert cache_bytes(windowed, 3, 1, "int8") == 6 * 2 * 6
    assert step_operations(windowed, 10) == 14 * 4 * 4 * 3


def test_operations_are_those_of_a_plain_loop() -> None:
    """Count multiplications and additions of QKᵀ and A·V one by one."""
    windowed = replace(SMALL, windows=(4, None))
    every = left = newest = 0
    for layer in range(2):
        for _ in range(4):
            for query in range(10):
                for key in range(10):
                    work = 2 * 3 + 2 * 3
                    seen = key <= query and (layer == 1 or query - key < 4)
                    every += work
                    left += work * seen
                    newest += work * (seen and query == 9)
    assert forward_operations(windowed, 10) == every
    assert needed_operations(windowed, 10) == left
    assert step_operations(windowed, 10) == newest
    assert needed_operations(SMALL, 10) == every * 55 // 100
    assert needed_operations(replace(SMALL, causal=False), 10) == every


def test_sharing_changes_no_operation() -> None:
    for of in (forward_operations, needed_operations, step_operations, map_bytes):
        assert of(LLAMA_2, 100) == of(LLAMA_3, 100) == of(LLAMA_2.shared(1), 100)


def test_maps_grow_with_the_square_and_vectors_do_not() -> None:
    assert map_bytes(LLAMA_2, 4096) == 4096**2 * 32 * 32 * 4
    assert map_bytes(LLAMA_2, 8192) == 4 * map_bytes(LLAMA_2, 4096)
    assert vector_bytes(LLAMA_3, 10) == 32 * 10 * (32 + 8 + 8) * 128 * 4
    assert vector_bytes(LLAMA_3, 20) == 2 * vector_bytes(LLAMA_3, 10)


def _bytes(cache: Any, layers: slice = slice(None)) -> int:
    return sum(t.nbytes for layer in cache.layers[layers] for t in (layer.keys, layer.values))


def _cached(model: explorer.LoadedModel, n_tokens: int, **more: Any) -> Any:
    ids = torch.arange(5, 5 + n_tokens)[None]
    model.model.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            return model.model(input_ids=ids, use_cache=True, **more).past_key_values
    finally:
        model.model.set_attn_implementation("explorer_recorder")


def test_smollm2_against_its_real_cache(smollm2: explorer.LoadedModel) -> None:
    (shape,) = smollm2.shape().stacks
    assert shape == AttentionShape("decoder", True, 30, 9, 3, 64, 64)
    assert cache_bytes(shape, 17, 1, "float32") == _bytes(_cached(smollm2, 17))
    assert cache_bytes(shape, 17, 1, "float32") == 2 * 30 * 3 * 64 * 17 * 4


@pytest.mark.parametrize("name", ["gpt2", "llama", "gpt-bigcode", "gemma", "opt"])
def test_the_formula_is_the_real_cache(name: str, tiny: Loader) -> None:
    (shape,) = tiny(name).shape().stacks
    assert shape.windows == ()
    assert cache_bytes(shape, 13, 1, "float32") == _bytes(_cached(tiny(name), 13))


@pytest.mark.parametrize(
    ("name", "windows"), [("mistral", (24, 24, 24)), ("gemma2", (6, None, 6)), ("gpt-oss", (8, None, 8))]
)
def test_windows_bound_the_real_cache(name: str, windows: tuple[int | None, ...], tiny: Loader) -> None:
    """Between two tokens transformers keeps one less than a query sees: the newest is to come."""
    (shape,) = tiny(name).shape().stacks
    assert shape.windows == windows
    cache = _cached(tiny(name), 40)
    a_token = 2 * shape.n_kv_heads * shape.d_head * 4
    missing = sum(window is not None for window in windows) * a_token
    assert cache_bytes(shape, 40, 1, "float32") == _bytes(cache) + missing


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_decoder_and_cross_caches(name: str, tiny: Loader) -> None:
    model = tiny(name)
    shape = model.shape()
    decoder, cross = shape.cached
    assert (decoder.name, cross.name) == ("decoder", "cross")
    kept = _cached(model, 11, decoder_input_ids=torch.tensor([[0, 5, 6, 7]]))
    assert cache_bytes(decoder, 4, 1, "float32") == _bytes(kept.self_attention_cache)
    assert cache_bytes(cross, 11, 1, "float32") == _bytes(kept.cross_attention_cache)
    both = costs(shape, CostSettings(7, 1, "float32")).chosen.total
    assert both == cache_bytes(decoder, 7, 1, "float32") + cache_bytes(cross, 7, 1, "float32")


@pytest.mark.parametrize("name", ["bert", "gpt2", "llama", "gpt-bigcode"])
def test_queries_keys_and_values_are_what_a_capture_keeps(name: str, tiny: Loader) -> None:
    model = tiny(name)
    shape, cap = model.shape(), explorer.capture(model, LONG)
    hidden = cap.hidden.nbytes
    n_tokens = len(cap.tokens)
    assert vector_bytes(shape.stacks[0], n_tokens) == cap.nbytes - hidden
    assert costs(shape, CostSettings(n_tokens)).captured == pytest.approx(cap.nbytes, rel=1e-6)


def test_maps_are_as_large_as_eager_attention(tiny: Loader) -> None:
    cap = explorer.capture(tiny("llama"), TEXT)
    made = sum(cap.attention(layer).nbytes for layer in range(cap.n_layers))
    assert map_bytes(tiny("llama").shape().stacks[0], len(cap.tokens)) == made
