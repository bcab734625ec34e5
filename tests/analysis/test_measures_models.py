"""Measures of real heads: plain loops over what transformers' own eager attention says."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import explorer
from explorer.analysis.measures import MEASURES, best_offset, compute_all, norm_weights
from tests import reference
from tests.checkpoints import FAMILIES, PAIR, TEXT
from tests.conftest import Folder, Loader
from tests.reference import relative

REPEATING = "She ate an apple, and then she ate an apple; the dog (a fox) ate an apple."
MARKS = {",", ";", "(", ")", "."}


def _loops(
    weights: np.ndarray, ids: list[int], special: list[bool], marks: list[bool], causal: bool
) -> dict[str, float]:
    """Every measure of one head [Q, K], a cell at a time, as GROUND_TRUTH's table reads."""
    n = len(ids)
    values: dict[str, list[float]] = {name: [] for name in MEASURES}
    for q in range(n):
        seen = range(q + 1) if causal else range(n)
        row = {k: float(weights[q, k]) for k in seen}
        entropy = -sum(a * log(a) for a in row.values() if a > 0)
        values["entropy"].append(entropy)
        if len(row) > 1:
            values["entropy_share"].append(entropy / log(len(row)))
        values["distance"].append(sum(a * abs(q - k) for k, a in row.items()))
        for name, k in (("previous_token", q - 1), ("next_token", q + 1), ("same_token", q)):
            if k in row:
                values[name].append(row[k])
        values["sink_first"].append(row[0])
        values["sink_special"].append(sum(a for k, a in row.items() if special[k]))
        values["sink_punctuation"].append(sum(a for k, a in row.items() if marks[k]))
        copies = [k for k in range(q) if ids[k] == ids[q] and not special[q]]
        if copies:
            values["duplicate_token"].append(sum(row[k] for k in copies))
            values["induction"].append(sum(row[k + 1] for k in copies))
    return {name: float(np.mean(v)) if v else np.nan for name, v in values.items()}


def _eager(loaded: explorer.LoadedModel, text: str) -> tuple[list[int], np.ndarray]:
    """Token ids, and attention [L, H, N, N], of the checkpoint the model was loaded from."""
    folder = Path(loaded.model.config._name_or_path)
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    encoded = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        out = model(**encoded, output_attentions=True)
    return encoded["input_ids"][0].tolist(), torch.cat(out.attentions).float().numpy()


@pytest.mark.parametrize("name", ["minilm", "smollm2"])
def test_every_measure_of_every_head(name: str) -> None:
    loaded = explorer.load_model(name, device="cpu")
    cap = explorer.capture(loaded, REPEATING)
    ids, attention = _eager(loaded, REPEATING)
    pieces = [loaded.tokenizer.decode([index]).strip() for index in ids]
    special = [index in loaded.tokenizer.all_special_ids for index in ids]
    assert sum(special) == (2 if name == "minilm" else 0)
    marks = [piece in MARKS for piece in pieces]
    assert sum(marks) == 5
    found = compute_all(cap)
    assert {values.shape for values in found.values()} == {attention.shape[:2]}
    for layer, head in np.ndindex(*attention.shape[:2]):
        expected = _loops(attention[layer, head], ids, special, marks, cap.causal)
        for measure, value in expected.items():
            ours = found[measure][layer, head]
            assert ours == pytest.approx(value, abs=2e-5, nan_ok=True), (measure, layer, head)
    assert np.isnan(found["next_token"]).all() == cap.causal


def test_best_offset_of_every_head(minilm: explorer.LoadedModel) -> None:
    """By numpy's own diagonals."""
    found = best_offset(explorer.capture(minilm, REPEATING))
    _, attention = _eager(minilm, REPEATING)
    n = attention.shape[-1]
    for layer, head in np.ndindex(*attention.shape[:2]):
        diagonals = {k: attention[layer, head].diagonal(k) for k in range(1 - n, n)}
        best = max(diagonals, key=lambda k: diagonals[k].sum())
        assert found.offsets[layer, head] == best
        assert found.scores[layer, head] == pytest.approx(diagonals[best].mean(), abs=1e-5)


def test_cross_attention(tiny: Loader, folder: Folder) -> None:
    """Queries of one text, keys of another: entropy and sinks against the eager run."""
    cap = explorer.capture(tiny("bart"), TEXT, target=PAIR)
    ids = cap.stack("decoder").query_tokens.ids.tolist()
    expected = reference.eager(FAMILIES["bart"], folder("bart"), TEXT, None, ids)
    found = compute_all(cap, "cross")
    special = np.isin(cap.stack("cross").key_tokens.ids, tiny("bart").tokenizer.all_special_ids)
    for layer, weights in enumerate(expected.attention["cross"]):
        entropy = -(weights * np.log(weights)).sum(-1).mean(-1)
        np.testing.assert_allclose(found["entropy"][layer], entropy, atol=1e-5)
        np.testing.assert_allclose(found["sink_special"][layer], weights[..., special].sum(-1).mean(-1), atol=1e-5)
    assert np.isnan(found["previous_token"]).all()
    assert np.isnan(found["distance"]).all()


RECORDED = [name for name, family in FAMILIES.items() if family.method == "recorder"]


@pytest.mark.parametrize("name", RECORDED)
def test_weighted_values_are_the_layers_output(name: str, tiny: Loader, folder: Folder) -> None:
    """Identity 4: ΣA·v·W_O + b_O is what the eager model's own projection gives."""
    family = FAMILIES[name]
    cap = explorer.capture(tiny(name), TEXT, target=PAIR if family.is_encoder_decoder else None)
    given = cap.stack("decoder").query_tokens.ids.tolist() if family.is_encoder_decoder else None
    expected = reference.eager(family, folder(name), TEXT, None, given)
    for stack in map(cap.stack, cap.stacks):
        for layer, projected in enumerate(expected.projected[stack.name]):
            vectors = stack.transformed_values(layer)
            assert vectors.shape[:2] == (stack.n_heads, len(stack.keys))
            total = np.einsum("hqk,hkd->qd", stack.attention(layer), vectors)
            assert relative(total + stack.output_bias(layer), projected) < 1e-4
            for head in range(stack.n_heads):
                np.testing.assert_allclose(stack.transformed_values(layer, head), vectors[head], rtol=0, atol=1e-6)


def _bert_values(model: Any, layer: int, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    attention = model.bert.encoder.layer[layer].attention
    values = states @ attention.self.value.weight.T + attention.self.value.bias
    return values, attention.output.dense.weight.T


def _gpt2_values(model: Any, layer: int, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    block = model.transformer.h[layer]
    width = states.shape[-1]
    all_three = block.ln_1(states) @ block.attn.c_attn.weight + block.attn.c_attn.bias
    return all_three[:, 2 * width :], block.attn.c_proj.weight


@pytest.mark.parametrize(("name", "values_of"), [("bert", _bert_values), ("gpt2", _gpt2_values)])
def test_norm_weights(
    name: str,
    values_of: Callable[[Any, int, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    tiny: Loader,
    folder: Folder,
) -> None:
    """‖A·(x W_V + b_V)·W_O‖ from the eager model's states, weights and attention, by loops."""
    cap = explorer.capture(tiny(name), TEXT)
    expected = reference.eager(FAMILIES[name], folder(name), TEXT)
    ((stack, attention),) = expected.attention.items()
    for layer in range(3):
        states = torch.from_numpy(expected.hidden[stack][layer])
        with torch.inference_mode():
            values, output = (t.detach() for t in values_of(expected.model, layer, states))
        n, weights = len(cap.tokens), torch.from_numpy(attention[layer])
        summed = torch.zeros(n, n, output.shape[1])
        for head in range(4):
            part = slice(8 * head, 8 * head + 8)
            vectors = torch.zeros_like(summed)
            for q, k in np.ndindex(n, n):
                vectors[q, k] = weights[head, q, k] * values[k, part] @ output[part]
            summed += vectors
            np.testing.assert_allclose(norm_weights(cap, layer, head), vectors.norm(dim=-1), rtol=1e-4, atol=1e-5)
        together = norm_weights(cap, layer)
        np.testing.assert_allclose(together, summed.norm(dim=-1), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(norm_weights(cap, layer, block_bytes=1), together, rtol=1e-5, atol=1e-7)
        assert (together[~cap.allowed(layer)] == 0).all()


def test_norm_weights_refused(tiny: Loader) -> None:
    with pytest.raises(explorer.ModelError, match="captured eagerly, weights only"):
        explorer.norm_weights(explorer.capture(tiny("deberta-v2"), TEXT), 0, 0)
    cap = explorer.capture(tiny("gpt2"), TEXT)
    with pytest.raises(ValueError, match="layer 3 is out of range"):
        explorer.norm_weights(cap, 3)
    with pytest.raises(ValueError, match="has no cross stack"):
        explorer.norm_weights(cap, 0, stack="cross")


def test_eager_fallback_has_measures(tiny: Loader, folder: Folder) -> None:
    """DeBERTa, of which only weights are known."""
    cap = explorer.capture(tiny("deberta-v2"), TEXT)
    expected = reference.eager(FAMILIES["deberta-v2"], folder("deberta-v2"), TEXT)
    found = compute_all(cap)
    for layer, weights in enumerate(expected.attention["encoder"]):
        before = np.diagonal(weights, -1, 1, 2).mean(-1)
        np.testing.assert_allclose(found["previous_token"][layer], before, atol=1e-5)


def test_public_names() -> None:
    """What SPEC.md says a notebook finds."""
    assert explorer.MEASURES["previous_token"] is MEASURES["previous_token"]
    for name in ("pattern_match", "head_distance", "norm_weights", "experiments"):
        assert name in explorer.__all__
        assert hasattr(explorer, name)
