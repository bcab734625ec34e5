"""Which ways of sharing keys and values are shown, and of which shapes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers.models.llama.modeling_llama import repeat_kv

from explorer.records import AttentionShape, CostSettings, ModelShape
from explorer.views.inside.cost.compute import costs, sharing_options, sharings
from explorer.views.inside.cost.figure import cost_caption
from tests.checkpoints import FAMILIES
from tests.conftest import Loader

LLAMA_2 = AttentionShape("decoder", True, 32, 32, 32, 128, 128)


LLAMA_3 = LLAMA_2.shared(8)


SMALL = AttentionShape("decoder", True, 2, 4, 2, 3, 3)


DECODER = ModelShape("small", (SMALL,), 1000, "float32", "recorder", None, 10.0, 0.0)


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
        "own": "its own: grouped, 3",
        "9": "multi-head, 9",
        "1": "multi-query, 1",
    }
