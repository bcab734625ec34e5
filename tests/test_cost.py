"""What attention takes, against numbers by hand, transformers' caches, and captures."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers.models.llama.modeling_llama import repeat_kv

import explorer
from explorer.export.cost import costs_csv
from explorer.figures.cost import cache_figure, cost_caption, operations_figure, said
from explorer.figures.sharing import sharing_caption, sharing_figure
from explorer.measures.cost import (
    cache_bytes,
    cache_bytes_per_token,
    forward_operations,
    map_bytes,
    needed_operations,
    step_operations,
    vector_bytes,
)
from explorer.records import AttentionShape, Costs, CostSettings, ModelShape
from explorer.views.cost import costs, sharing_options, sharings
from tests.checkpoints import FAMILIES, LONG, TEXT
from tests.conftest import Loader

LLAMA_2 = AttentionShape("decoder", True, 32, 32, 32, 128, 128)
LLAMA_3 = LLAMA_2.shared(8)
SMALL = AttentionShape("decoder", True, 2, 4, 2, 3, 3)
DECODER = ModelShape("small", (SMALL,), 1000, "float32", "recorder", None, 10.0, 0.0)


# --- formulas ---


def test_llama_2_7b_by_hand() -> None:
    """Half a megabyte a token: 2 · 32 layers · 32 heads · 128 · 2 bytes."""
    assert cache_bytes(LLAMA_2, 4096) == 2_147_483_648
    assert cache_bytes_per_token(LLAMA_2) == 524_288
    assert cache_bytes(LLAMA_3, 4096) == 2_147_483_648 // 4
    assert cache_bytes(LLAMA_2.shared(1), 4096) == 2_147_483_648 // 32
    assert cache_bytes(LLAMA_2, 4096, batch=16) == 16 * 2_147_483_648


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("float32", 960), ("float16", 480), ("bfloat16", 480), ("int8", 240), ("int4", 120)],
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


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (CostSettings(n_tokens=0), "the context length is 0: type a whole number from 1 to 1,000,"),
        (CostSettings(n_tokens=10**12), "the context length is 1000000000000: type a whole number"),
        (CostSettings(n_tokens=-5), "the context length is -5: "),
        (CostSettings(n_tokens=1.5), "the context length is 1.5: type a whole number"),  # type: ignore[arg-type]
        (CostSettings(n_tokens=""), "the context length is empty: "),  # type: ignore[arg-type]
        (CostSettings(n_tokens="9" * 20), "the context length is 9999"),  # type: ignore[arg-type]
        (CostSettings(batch=0), "the batch is 0: type a whole number from 1 to 10,000"),
        (CostSettings(batch=10_001), "the batch is 10001: "),
        (CostSettings(precision="fp8"), "unknown precision 'fp8': use float32, float16, bfloat16"),
        (CostSettings(sharing="3"), "4 query heads cannot share 3 key/value heads evenly: use own"),
        (CostSettings(sharing="all"), "4 query heads cannot share all key/value heads evenly"),
    ],
)
def test_bad_input_gets_one_clear_line(settings: CostSettings, told: str) -> None:
    with pytest.raises(ValueError, match="^" + told.replace("(", r"\(")) as error:
        costs(DECODER, settings)
    assert "\n" not in str(error.value)


# --- real models ---


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
    ("name", "windows"),
    [("mistral", (24, 24, 24)), ("gemma2", (6, None, 6)), ("gpt-oss", (8, None, 8))],
)
def test_windows_bound_the_real_cache(
    name: str, windows: tuple[int | None, ...], tiny: Loader
) -> None:
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


def test_a_model_captured_eagerly_has_its_shape_from_its_config(tiny: Loader) -> None:
    shape = tiny("deberta-v2").shape()
    assert shape.stacks == (AttentionShape("encoder", False, 3, 4, 4, 8, 8),)
    assert "captured eagerly, though" in cost_caption(costs(shape, CostSettings()))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_shape(name: str, tiny: Loader) -> None:
    shape = tiny(name).shape()
    expected = [(n, *FAMILIES[name].stacks[n]) for n in FAMILIES[name].stacks]
    assert [(s.name, s.n_layers, s.n_heads, s.n_kv_heads, s.causal) for s in shape.stacks] == [
        tuple(stack) for stack in expected
    ]
    assert {(s.d_head, s.d_value) for s in shape.stacks} == {(8, 8)}
    assert shape.n_parameters == sum(p.numel() for p in tiny(name).model.parameters())


# --- ways to share ---


def test_heads_are_shared_as_transformers_shares_them() -> None:
    keys = torch.arange(8.0)[None, :, None, None]
    assert [LLAMA_3.kv_head(head) for head in range(32)] == repeat_kv(keys, 4).flatten().tolist()


@pytest.mark.parametrize(
    ("heads", "own", "chosen", "expected"),
    [
        (9, 3, "own", [("multi-head", 9), ("grouped", 3), ("multi-query", 1)]),
        (12, 12, "own", [("multi-head", 12), ("grouped", 3), ("multi-query", 1)]),
        (4, 1, "own", [("multi-head", 4), ("grouped", 2), ("multi-query", 1)]),
        (32, 8, "4", [("multi-head", 32), ("grouped", 8), ("grouped", 4), ("multi-query", 1)]),
        (7, 7, "own", [("multi-head", 7), ("multi-query", 1)]),
        (1, 1, "own", [("multi-head", 1)]),
    ],
)
def test_ways_to_share(heads: int, own: int, chosen: str, expected: list[tuple[str, int]]) -> None:
    shown = sharings(replace(SMALL, n_heads=heads, n_kv_heads=own), chosen)
    assert [(way.kind, way.n_kv_heads) for way in shown] == expected
    assert [way.n_kv_heads for way in shown if way.own] == [own]
    assert [way.n_kv_heads for way in shown if way.chosen] == [own if chosen == "own" else 4]


def test_what_can_be_chosen() -> None:
    assert sharing_options(replace(SMALL, n_heads=9, n_kv_heads=3)) == {
        "own": "as the model does (grouped, 3)",
        "9": "multi-head, 9",
        "1": "multi-query, 1",
    }


# --- figures ---


def _joined(figure: Any, panel: str) -> set[tuple[float, float]]:
    """(query head, place of the key/value head) of each thin line in a panel."""
    pairs = set()
    for line in figure.data:
        if line.xaxis == panel and line.mode == "lines" and line.line.width == 1:
            assert list(line.y) == [1, 0, None] * (len(line.x) // 3)
            pairs |= set(zip(line.x[::3], line.x[1::3], strict=True))
    return pairs


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_join_queries_with_what_they_read(theme: str) -> None:
    shape = replace(SMALL, n_heads=6, n_kv_heads=2)
    figure = sharing_figure(shape, sharings(shape), 4, theme)
    assert _joined(figure, "x") == {(head, head) for head in range(6)}
    assert _joined(figure, "x2") == {(0, 1), (1, 1), (2, 1), (3, 4), (4, 4), (5, 4)}
    assert _joined(figure, "x3") == {(head, 2.5) for head in range(6)}
    accented = [line.x for line in figure.data if line.mode == "lines" and line.line.width == 4]
    assert accented == [(4, 4), (4, 4), (4, 2.5)]
    headings = [note.text for note in figure.layout.annotations]
    assert headings == [
        "<b>multi-head</b> · 6 key/value heads",
        "<b>grouped</b> · 2 key/value heads · this model",
        "<b>multi-query</b> · 1 key/value head",
    ]
    queries, keys = [t for t in figure.data if t.xaxis == "x2" and t.mode == "markers+text"]
    assert list(queries.text) == ["0", "1", "2", "3", "4", "5"]
    assert queries.hovertext[4] == "query head 4 reads key/value head 1"
    assert keys.hovertext[1] == "key/value head 1, read by query heads 3 to 5"
    assert queries.marker.color[:3] == (keys.marker.color[0],) * 3
    assert queries.marker.color[3:] == (keys.marker.color[1],) * 3
    assert keys.marker.color[0] != keys.marker.color[1]


def test_many_heads_are_drawn_with_few_numbers() -> None:
    shape = replace(SMALL, n_heads=64, n_kv_heads=8)
    figure = sharing_figure(shape, sharings(shape), 40)
    assert len(_joined(figure, "x2")) == 64
    queries = next(t for t in figure.data if t.xaxis == "x2" and t.mode == "markers+text")
    assert [text for text in queries.text if text] == ["0", "40", "63"]
    near = next(
        t
        for t in sharing_figure(shape, sharings(shape), 2).data
        if t.xaxis == "x2" and t.mode == "markers+text"
    )
    assert [text for text in near.text if text] == ["2", "63"]


def test_bad_heads_and_themes() -> None:
    with pytest.raises(ValueError, match="head 4 is out of range: heads are 0 to 3"):
        sharing_figure(SMALL, sharings(SMALL), 4)
    with pytest.raises(ValueError, match="unknown theme"):
        cache_figure(costs(DECODER, CostSettings()), "grey")


def test_the_caption_says_who_shares_with_whom() -> None:
    shape = replace(SMALL, n_heads=6, n_kv_heads=2)
    said_of = sharing_caption("a/b", shape, sharings(shape), 4)
    assert said_of.startswith(
        "a/b, decoder self-attention: grouped attention, 6 query heads (above) over 2 key/value "
        "heads (below) in each of 2 layers; a line for each query head and what it reads. Head 4 "
        "shares key/value head 1 with 3, 5. Beside it the same layer as it would be with "
        "multi-head (6), multi-query (1)."
    )
    alone = sharing_caption("a/b", shape.shared(6), sharings(shape.shared(6)), 4)
    assert "Head 4 reads key/value head 4 alone." in alone


def _traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_curves_hold_the_formulas(theme: str) -> None:
    shown = costs(DECODER, CostSettings(2000, 3, "int8"))
    figure = cache_figure(shown, theme)
    curves = _traces(figure)
    assert set(curves) == {"multi-head, 4", "grouped, 2 (this model)", "multi-query, 1"}
    for name, heads in [
        ("multi-head, 4", 4),
        ("grouped, 2 (this model)", 2),
        ("multi-query, 1", 1),
    ]:
        lengths = np.array(curves[name].x)
        assert (lengths[0], lengths[-1]) == (1, 1_000_000)
        np.testing.assert_array_equal(curves[name].y, 2 * heads * 6 * 3 * lengths)
    marked = next(trace for trace in figure.data if trace.mode == "markers+text")
    assert (marked.x, marked.y, marked.text) == ((2000,), (144_000,), ("144 kB",))
    heights = [line.y0 for line in figure.layout.shapes]
    assert heights == [24e9, 40e9, 80e9, 141e9, 192e9, 1000]
    names = [note.text for note in figure.layout.annotations]
    assert names[0] == "RTX 4090 24 GB"
    assert names[-1] == "weights in int8: 1 kB"
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"


def test_maps_beside_what_a_capture_keeps() -> None:
    curves = _traces(operations_figure(costs(DECODER, CostSettings())))
    n = np.array(curves["all maps: N²"].x, float)
    np.testing.assert_array_equal(curves["all maps: N²"].y, n**2 * 4 * 2 * 4)
    np.testing.assert_array_equal(curves["q, k, v: N"].y, n * 2 * (4 * 3 + 2 * 6) * 4)
    np.testing.assert_array_equal(curves["all N tokens: N²"].y, n**2 * 2 * 4 * 12)
    np.testing.assert_array_equal(curves["one more, cached: N"].y, n * 2 * 4 * 12)


def _encoder() -> Costs:
    shape = replace(SMALL, name="encoder", causal=False)
    return costs(replace(DECODER, stacks=(shape,), max_tokens=512), CostSettings())


def test_an_encoder_keeps_no_cache() -> None:
    shown = _encoder()
    assert shown.step is None
    assert shown.needed == shown.forward.total
    assert set(_traces(operations_figure(shown))) == {
        "all maps: N²", "q, k, v: N", "all N tokens: N²",
    }  # fmt: skip
    caption = cost_caption(shown)
    assert "is an encoder: it reads all tokens at once and keeps no cache" in caption
    assert "It reads at most 512 tokens" in caption


def test_the_caption_says_what_is_counted() -> None:
    cross = replace(SMALL, name="cross", causal=False)
    windowed = replace(SMALL, windows=(4, None))
    shape = replace(DECODER, stacks=(replace(cross, name="encoder"), windowed, cross))
    caption = cost_caption(costs(shape, CostSettings(10, 1, "float16")))
    assert "the decoder’s own cache and that of cross attention" in caption
    assert "keeps its window’s tokens only" in caption
    # (14 + 20) tokens over the layers · 2 heads · 6 numbers · 2 bytes.
    assert "keys and values take 816 B" in caption


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (2_147_483_648, "2.15 GB"), (999_600, "1 MB"),
     (12_345, "12.3 kB"), (5e17, "500 PB")],
)  # fmt: skip
def test_numbers_as_they_are_said(number: float, expected: str) -> None:
    assert said(number, "B") == expected


def test_csv_has_every_number() -> None:
    shown = costs(DECODER, CostSettings(4096, 2, "float16", "1"))
    rows = list(csv.DictReader(io.StringIO(costs_csv(shown))))
    asked = next(row for row in rows if row["what"] == "cache" and row["sharing"] == "multi-query")
    assert asked == {
        "what": "cache", "sharing": "multi-query", "key_value_heads": "1", "batch": "2",
        "precision": "float16", "tokens": "4096", "value": str(2 * 6 * 4096 * 2 * 2),
        "unit": "bytes",
    }  # fmt: skip
    of_maps = {int(row["tokens"]): int(row["value"]) for row in rows if row["what"] == "maps"}
    assert of_maps[1_000_000] == 10**12 * 4 * 2 * 4
    assert {row["what"] for row in rows} == {
        "weights", "cache a token", "cache", "capture", "operations, cells left", "maps",
        "queries, keys, values", "operations, all tokens", "operations, one more token",
    }  # fmt: skip
