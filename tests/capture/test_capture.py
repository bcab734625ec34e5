"""Capture against transformers' eager attention, on tiny checkpoints of every kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

import explorer
from tests import reference
from tests.checkpoints import FAMILIES, LONG, PAIR, TEXT
from tests.conftest import Folder, Loader
from tests.reference import Reference, relative

TARGET = "Mary gave the dog a drink."
NAMES = list(FAMILIES)
BOTH_STACKS = [name for name, family in FAMILIES.items() if family.is_encoder_decoder]
RECORDED = [name for name, family in FAMILIES.items() if family.method == "recorder"]
PAIRED = [name for name, family in FAMILIES.items() if family.pairs]
SINKS = {"gpt-oss"}

Run = tuple[explorer.Capture, Reference]
Runs = Callable[[str], Run]


def _captured(
    name: str, tiny: Loader, folder: Folder, text: str, pair: str | None = None
) -> tuple[explorer.Capture, Reference]:
    """A capture, and the eager run on the same text (the decoder given what ours was given)."""
    family = FAMILIES[name]
    target = TARGET if family.is_encoder_decoder else None
    cap = explorer.capture(tiny(name), text, pair=pair, target=target)
    decoder_ids = cap.stack("decoder").query_tokens.ids.tolist() if target else None
    return cap, reference.eager(family, folder(name), text, pair, decoder_ids)


@pytest.fixture(scope="module")
def short(tiny: Loader, folder: Folder) -> Runs:
    runs: dict[str, Run] = {}

    def of(name: str) -> Run:
        if name not in runs:
            runs[name] = _captured(name, tiny, folder, TEXT)
        return runs[name]

    return of


@pytest.fixture(scope="module")
def long(tiny: Loader, folder: Folder) -> Runs:
    return lambda name: _captured(name, tiny, folder, LONG)


def _assert_attention(cap: explorer.Capture, expected: Reference) -> None:
    """Identity 2: every layer and head of every stack, to 1e-5."""
    for name, layers in expected.attention.items():
        stack = cap.stack(name)
        assert stack.n_layers == len(layers)
        for layer, weights in enumerate(layers):
            np.testing.assert_allclose(stack.attention(layer), weights, rtol=0, atol=1e-5)
            for head in range(stack.n_heads):
                np.testing.assert_array_equal(stack.attention(layer, head), stack.attention(layer)[head])


@pytest.mark.parametrize("name", NAMES)
class TestParity:
    """Each family, on a sentence."""

    def test_way_and_shape(self, name: str, tiny: Loader) -> None:
        family, loaded = FAMILIES[name], tiny(name)
        assert loaded.method == family.method
        shapes = {s.name: (s.n_layers, s.n_heads, s.n_kv_heads, s.causal) for s in loaded.stacks}
        assert shapes == family.stacks
        assert loaded.takes_pairs is family.pairs
        assert loaded.is_encoder_decoder is family.is_encoder_decoder

    def test_ids_are_the_tokenizers_own(self, name: str, short: Runs) -> None:
        cap, expected = short(name)
        stack = cap.stack()
        assert stack.query_tokens.ids.tolist() == expected.ids["input_ids"]
        assert len(stack.tokens) == len(expected.ids["input_ids"])

    def test_weights_are_the_eager_models(self, name: str, short: Runs) -> None:
        cap, expected = short(name)
        _assert_attention(cap, expected)

    def test_reference_could_tell(self, name: str, short: Runs) -> None:
        """Attention far from uniform, and different from head to head."""
        _, expected = short(name)
        for layers in expected.attention.values():
            for weights in layers:
                seen = (weights > 0).sum(-1, keepdims=True)
                assert (weights * seen).max() > 3
                assert (np.abs(weights[0] - weights[1]) * seen[0]).max() > 1

    def test_rows_sum_to_one(self, name: str, short: Runs) -> None:
        cap, _ = short(name)
        for stack in map(cap.stack, cap.stacks):
            for layer in range(stack.n_layers):
                sums = stack.attention(layer).sum(-1)
                if name in SINKS:
                    assert sums.min() > 0
                    assert sums.max() < 1 + 1e-6
                    assert sums.min() < 0.9
                else:
                    np.testing.assert_allclose(sums, 1, atol=1e-5)

    def test_masked_cells_are_exactly_zero(self, name: str, short: Runs) -> None:
        cap, expected = short(name)
        for stack in map(cap.stack, cap.stacks):
            for layer in range(stack.n_layers):
                weights, allowed = stack.attention(layer), stack.allowed(layer)
                assert (weights[:, ~allowed] == 0).all()
                # Softmax leaves no zero of its own here: where eager has one is the mask.
                np.testing.assert_array_equal(allowed, (expected.attention[stack.name][layer] > 0).any(0))
                if stack.causal:
                    assert (weights[:, *np.triu_indices(weights.shape[1], 1)] == 0).all()

    def test_hidden_states(self, name: str, short: Runs) -> None:
        """Identity 3, and every layer between."""
        cap, expected = short(name)
        for stack in map(cap.stack, cap.stacks):
            hidden = stack.hidden
            assert hidden.shape == expected.hidden[stack.name].shape
            assert hidden.dtype == np.float32
            for ours, theirs in zip(hidden, expected.hidden[stack.name], strict=True):
                assert relative(ours, theirs) < 1e-4

    def test_logits(self, name: str, short: Runs) -> None:
        cap, expected = short(name)
        assert relative(cap.logits(), expected.logits) < 1e-4

    def test_static_embeddings(self, name: str, short: Runs) -> None:
        """The table's row, times the family's factor, through the family's projection."""
        cap, expected = short(name)
        family = FAMILIES[name]
        table = expected.model.get_submodule(family.table).weight.detach().numpy()
        for stack in map(cap.stack, cap.stacks):
            rows = table[stack.query_tokens.ids] * family.scale
            if family.projection:
                linear = expected.model.get_submodule(family.projection)
                rows = rows @ linear.weight.detach().numpy().T
                rows = rows + (0 if linear.bias is None else linear.bias.detach().numpy())
            assert relative(stack.static, rows) < 1e-6


@pytest.mark.parametrize("name", RECORDED)
class TestHeads:
    """What only a recorded run has: queries, keys, values, and what a head writes."""

    def test_heads_sum_to_the_output_projection(self, name: str, short: Runs) -> None:
        """Identity 4, against a forward hook on the eager model's own projection."""
        cap, expected = short(name)
        for stack in map(cap.stack, cap.stacks):
            assert len(expected.projected[stack.name]) == stack.n_layers
            for layer, projected in enumerate(expected.projected[stack.name]):
                heads = [stack.head_output(layer, head) for head in range(stack.n_heads)]
                total = np.sum(heads, axis=0) + stack.output_bias(layer)
                assert relative(total, projected) < 1e-4

    def test_queries_keys_and_values(self, name: str, short: Runs) -> None:
        cap, _ = short(name)
        for stack in map(cap.stack, cap.stacks):
            shared = stack.n_heads // stack.n_kv_heads
            for head in range(stack.n_heads):
                assert stack.q(0, head).shape == (len(stack.queries), 8)
                assert stack.k(0, head).shape == (len(stack.keys), 8)
                assert stack.v(0, head).shape == (len(stack.keys), 8)
                first_of_group = head - head % shared
                np.testing.assert_array_equal(stack.k(0, head), stack.k(0, first_of_group))
                np.testing.assert_array_equal(stack.v(0, head), stack.v(0, first_of_group))
            groups = {stack.k(0, head).tobytes() for head in range(stack.n_heads)}
            assert len(groups) == stack.n_kv_heads


@pytest.mark.parametrize("name", NAMES)
def test_long_text(name: str, long: Runs) -> None:
    """Far over every sliding window, and over the probe that chooses the way of capture."""
    cap, expected = long(name)
    assert len(cap.stack().queries) > 64
    _assert_attention(cap, expected)
    for stack in map(cap.stack, cap.stacks):
        assert relative(stack.hidden, expected.hidden[stack.name]) < 1e-4


@pytest.mark.parametrize(("name", "layer", "window"), [("mistral", 0, 24), ("gemma2", 0, 6), ("gpt-oss", 0, 8)])
def test_sliding_window_is_known(name: str, layer: int, window: int, long: Runs) -> None:
    cap, _ = long(name)
    n = len(cap.tokens)
    behind = np.arange(n)[:, None] - np.arange(n)[None, :]
    np.testing.assert_array_equal(cap.allowed(layer), (behind >= 0) & (behind < window))


def test_full_layers_between_windows(long: Runs) -> None:
    cap, _ = long("gemma2")
    n = len(cap.tokens)
    np.testing.assert_array_equal(cap.allowed(1), np.tri(n, dtype=bool))


@pytest.mark.parametrize("name", PAIRED)
def test_pair(name: str, tiny: Loader, folder: Folder) -> None:
    cap, expected = _captured(name, tiny, folder, TEXT, PAIR)
    assert cap.pair == PAIR
    _assert_attention(cap, expected)
    assert relative(cap.hidden, expected.hidden["encoder"]) < 1e-4
    tokens = cap.query_tokens
    for segment, text in enumerate((TEXT, PAIR)):
        spans = tokens.offsets[tokens.segment == segment]
        typed = "".join(text[a:b] for a, b in spans).replace(" ", "")
        assert typed == text.replace(" ", "")
    # The second text stands after the first, with a separator between.
    assert (np.diff(tokens.segment[tokens.segment >= 0]) >= 0).all()
    assert tokens.special[np.argmax(tokens.segment == 1) - 1]


@pytest.mark.parametrize("name", BOTH_STACKS)
class TestTwoStacks:
    """Encoder–decoder models."""

    def test_target_is_moved_right(self, name: str, tiny: Loader, folder: Folder) -> None:
        """The decoder is given what transformers' own training shift would give it."""
        cap, expected = _captured(name, tiny, folder, TEXT)
        labels = AutoTokenizer.from_pretrained(folder(name))(text_target=TARGET).input_ids
        start = expected.model.config.decoder_start_token_id
        assert cap.stack("decoder").query_tokens.ids.tolist() == [start, *labels[:-1]]

    def test_sides(self, name: str, short: Runs) -> None:
        cap, _ = short(name)
        assert cap.stacks == ("encoder", "decoder", "cross")
        cross = cap.stack("cross")
        assert cross.queries == cap.stack("decoder").queries == cap.stack("decoder").keys
        assert cross.keys == cap.stack("encoder").keys
        assert cross.attention(1, 2).shape == (len(cross.queries), len(cross.keys))

    def test_generates_greedily(self, name: str, tiny: Loader, folder: Folder) -> None:
        """Without a target the decoder reads what the eager model itself says, step by step."""
        loaded = tiny(name)
        cap = explorer.capture(loaded, TEXT)
        model = reference.load(FAMILIES[name], folder(name))
        encoder_ids = torch.tensor([cap.stack("encoder").query_tokens.ids.tolist()])
        ids = [model.config.decoder_start_token_id]
        with torch.inference_mode():
            for _ in range(64):
                logits = model(encoder_ids, decoder_input_ids=torch.tensor([ids])).logits
                best = int(logits[0, -1].argmax())
                if best == model.config.eos_token_id:
                    break
                ids.append(best)
        assert cap.stack("decoder").query_tokens.ids.tolist() == ids
        expected = reference.eager(FAMILIES[name], folder(name), TEXT, decoder_ids=ids)
        _assert_attention(cap, expected)

    def test_one_stack_must_be_chosen(self, name: str, short: Runs) -> None:
        cap, _ = short(name)
        for attribute in ("tokens", "hidden", "attention", "n_heads", "n_layers", "causal"):
            with pytest.raises(AttributeError, match=r"several stacks: use cap\.stack\(name\)"):
                getattr(cap, attribute)
        with pytest.raises(ValueError, match="has no middle stack: it has encoder, decoder, cross"):
            cap.stack("middle")
