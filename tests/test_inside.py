"""The inside of a head: rows, maps, masks and outputs against eager runs and plain numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import explorer
from explorer.analysis.head_maps import head_maps
from explorer.records import ModelError, ScoreParts
from explorer.views.inside.contributions.compute import head_outputs
from explorer.views.inside.contributions.data import table as outputs_table
from explorer.views.inside.contributions.figure import cosines, outputs_caption, outputs_figure
from explorer.views.inside.mask.compute import cut_after, masked_softmax, other_mask, right_context, token_at
from explorer.views.inside.mask.figure import context_caption, context_figure, mask_caption, other_figure
from explorer.views.inside.worksheet.compute import query_row, softmax_input
from explorer.views.inside.worksheet.figure import heaviest, strips_caption, strips_figure
from explorer.views.inside.worksheet.panel import columns_of, table_rows, total_row
from tests import reference
from tests.browser import eager
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder, Loader
from tests.reference import Reference

TARGET = "the dog ate an apple."
RECORDED = [name for name, family in FAMILIES.items() if family.method == "recorder"]
ROTARY = ["llama", "mistral", "gemma", "gemma2", "gpt-neox"]
Runs = Callable[[str], tuple[explorer.Capture, Reference]]


@pytest.fixture(scope="module")
def runs(tiny: Loader, folder: Folder) -> Runs:
    """A family's capture, and the eager run of the same tokens."""
    made: dict[str, tuple[explorer.Capture, Reference]] = {}

    def of(name: str) -> tuple[explorer.Capture, Reference]:
        if name not in made:
            family = FAMILIES[name]
            target = TARGET if family.is_encoder_decoder else None
            cap = explorer.capture(tiny(name), TEXT, target=target)
            ids = cap.stack("decoder").query_tokens.ids.tolist() if target else None
            made[name] = cap, reference.eager(family, folder(name), TEXT, decoder_ids=ids)
        return made[name]

    return of


class TestRow:
    @pytest.mark.parametrize("name", RECORDED)
    def test_a_row_is_the_eager_models(self, runs: Runs, name: str) -> None:
        """Soft caps, biases, windows, learned sinks and shared heads included."""
        cap, expected = runs(name)
        for stack in cap.stacks:
            for layer, attention in enumerate(expected.attention[stack]):
                for query in (0, attention.shape[1] // 2, attention.shape[1] - 1):
                    row = query_row(cap, layer, 3, query, stack)
                    np.testing.assert_allclose(row.weights, attention[3, query], atol=1e-5)
                    assert row.error < 1e-5
                    assert np.isnan(row.exponentials).tolist() == (~row.parts.allowed).tolist()

    @pytest.mark.parametrize("name", RECORDED)
    def test_heads_add_up_to_what_the_output_projection_gave(self, runs: Runs, name: str) -> None:
        cap, expected = runs(name)
        for stack in cap.stacks:
            query = len(cap.stack(stack).queries) - 1
            outputs = head_outputs(cap, 1, query, stack)
            given = expected.projected[stack][1][query]
            total = outputs.added.sum(axis=0) + outputs.bias
            assert reference.relative(total, given) < 1e-4
            assert reference.relative(outputs.output, given) < 1e-4
            assert outputs.error < 1e-4
            row = query_row(cap, 1, 2, query, stack)
            np.testing.assert_allclose(row.added, outputs.added[2], atol=1e-5)
            np.testing.assert_allclose(row.output, outputs.mixed[2], atol=1e-5)

    def test_soft_cap_scale_and_bias_by_hand(self) -> None:
        """2·tanh(8·0.5/2) + 1 = 2·tanh(2) + 1, and so on."""
        parts = ScoreParts(0.5, 2.0, np.array([1.0, -1.0]), None, np.array([True, True]))
        expected = [2 * 0.9640275800758169 + 1, -2 * 0.7615941559557649 - 1]
        np.testing.assert_allclose(softmax_input(np.array([8.0, -4.0]), parts), expected)

    def test_out_of_range(self, runs: Runs) -> None:
        cap, _ = runs("bert")
        last = len(cap.tokens) - 1
        with pytest.raises(ValueError, match=f"query 99 is out of range: .* 0 to {last}"):
            query_row(cap, 0, 0, 99)
        with pytest.raises(ValueError, match="head 4 is out of range"):
            query_row(cap, 0, 4, 0)

    def test_an_eager_model_says_what_is_not_known(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("deberta-v2"), TEXT)
        for inside in (query_row, head_outputs):
            with pytest.raises(ModelError, match="queries, keys and values are not known"):
                inside(cap, *((0, 0, 0) if inside is query_row else (0, 0)))


def _rotated(vectors: np.ndarray, d: int, theta: float = 10_000.0) -> np.ndarray:
    """Su et al. 2021 as Llama has it: dimension i turns with i + d/2, by position·theta^(−2i/d)."""
    turned = vectors.astype(np.float64).copy()
    angles = np.arange(len(vectors))[:, None] * theta ** (-2 * np.arange(d // 2) / d)
    first, second = turned[:, : d // 2].copy(), turned[:, d // 2 : d].copy()
    turned[:, : d // 2] = first * np.cos(angles) - second * np.sin(angles)
    turned[:, d // 2 : d] = second * np.cos(angles) + first * np.sin(angles)
    return turned


class TestMaps:
    @pytest.mark.parametrize("name", RECORDED)
    def test_the_weights_give_the_captured_values(self, runs: Runs, name: str) -> None:
        cap, _ = runs(name)
        for stack in cap.stacks:
            maps = head_maps(cap, 1, 3, stack)
            made = maps.given_keys @ maps.value.weight + maps.value.bias
            np.testing.assert_allclose(made, maps.v, atol=1e-4)
            assert maps.given_queries.shape == (len(maps.queries), 32)
            assert maps.rotated is (name in (*ROTARY, "modernbert", "gpt-oss"))

    @pytest.mark.parametrize("name", ROTARY)
    def test_before_rotation_turned_by_hand(self, runs: Runs, name: str) -> None:
        cap, _ = runs(name)
        maps = head_maps(cap, 1, 3)
        d = maps.q.shape[1] // 4 if name == "gpt-neox" else maps.q.shape[1]
        for before, used in ((maps.q_before, maps.q), (maps.k_before, maps.k)):
            np.testing.assert_allclose(_rotated(before, d), used, atol=1e-4)
            assert np.abs(before - used).max() > 0.01

    def test_berts_own_matrices(self, runs: Runs) -> None:
        cap, expected = runs("bert")
        layer = expected.model.bert.encoder.layer[2].attention.self
        maps = head_maps(cap, 2, 1)
        cut = slice(8, 16)  # the second head's rows
        for ours, module in ((maps.query, layer.query), (maps.key, layer.key), (maps.value, layer.value)):
            np.testing.assert_array_equal(ours.weight, module.weight.detach().numpy()[cut].T)
            np.testing.assert_array_equal(ours.bias, module.bias.detach().numpy()[cut])
        np.testing.assert_allclose(maps.given_queries, expected.hidden["encoder"][2], atol=1e-5)

    def test_gpt2s_fused_matrix_after_its_norm(self, runs: Runs) -> None:
        cap, expected = runs("gpt2")
        block = expected.model.transformer.h[1]
        with torch.inference_mode():
            given = block.ln_1(torch.from_numpy(expected.hidden["decoder"][1])).numpy()
        maps = head_maps(cap, 1, 2)
        np.testing.assert_allclose(maps.given_queries, given, atol=1e-5)
        weight = block.attn.c_attn.weight.detach().numpy()
        np.testing.assert_array_equal(maps.key.weight, weight[:, 32 + 16 : 32 + 24])

    def test_shared_keys_are_those_of_the_group(self, runs: Runs) -> None:
        cap, _ = runs("llama")  # 4 heads over 2
        assert [head_maps(cap, 0, head).kv_head for head in range(4)] == [0, 0, 1, 1]
        first, second = head_maps(cap, 0, 0), head_maps(cap, 0, 1)
        np.testing.assert_array_equal(first.key.weight, second.key.weight)
        assert not np.array_equal(first.query.weight, second.query.weight)


class TestMask:
    def test_a_mask_added_is_the_earlier_weights_over_their_sum(self, runs: Runs) -> None:
        cap, expected = runs("bert")
        own, other = other_mask(cap, 1, 2)
        weights = expected.attention["encoder"][1][2]
        earlier = np.tril(weights)
        np.testing.assert_allclose(own.weights, weights, atol=1e-5)
        np.testing.assert_allclose(other.weights, earlier / earlier.sum(axis=1, keepdims=True), atol=1e-5)
        assert other.causal
        assert "a causal mask added" in other_figure(other).layout.title.text
        assert f"{weights[2, 3:].sum():.0%} of its weight on later" in mask_caption(own, other, 2)

    def test_a_mask_taken_away_is_the_softmax_of_all_scores(self, runs: Runs) -> None:
        cap, expected = runs("gpt2")
        block = expected.model.transformer.h[1]
        with torch.inference_mode():
            made = block.attn.c_attn(block.ln_1(torch.from_numpy(expected.hidden["decoder"][1])))
        q, k = made.numpy()[:, 16:24], made.numpy()[:, 48:56]
        scores = q @ k.T / np.sqrt(8)
        expected_weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        _, other = other_mask(cap, 1, 2)
        np.testing.assert_allclose(other.weights, expected_weights, atol=1e-5)
        assert other.allowed.all()
        assert "the mask taken away" in other_figure(other).layout.title.text

    def test_a_window_stays(self, runs: Runs) -> None:
        cap, _ = runs("mistral")
        own, other = other_mask(cap, 0, 0)
        np.testing.assert_array_equal(other.allowed, own.allowed | own.allowed.T)

    def test_softmax_with_a_sink_by_hand(self) -> None:
        """Scores 0 and ln 3 beside a sink of 0: 1/(1+1) where one is allowed, 1/5 and 3/5."""
        scores = np.array([[0.0, np.log(3)], [0.0, np.log(3)]])
        allowed = np.array([[True, False], [True, True]])
        found = masked_softmax(scores, allowed, sink=0.0)
        np.testing.assert_allclose(found, [[0.5, 0], [0.2, 0.6]])

    def test_cross_attention_has_no_such_mask(self, runs: Runs) -> None:
        with pytest.raises(ValueError, match="no order to mask by"):
            other_mask(runs("bart")[0], 0, 0, "cross")

    @pytest.mark.parametrize("name", ["minilm", "smollm2"])
    def test_what_comes_later_moves_only_who_sees_it(self, name: str, request: pytest.FixtureRequest) -> None:
        loaded = request.getfixturevalue(name)
        text = "The apple that we saw announced a phone."
        whole = explorer.capture(loaded, text)
        query = whole.tokens.index("apple")
        assert cut_after(whole, query) == "The apple"
        curve = right_context(whole, explorer.capture(loaded, "The apple"), query)
        long, short = (eager.run(name, one).hidden[:, query] for one in (text, "The apple"))
        cosines_by_hand = [
            float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
            for a, b in zip(long.astype(float), short.astype(float), strict=True)
        ]
        np.testing.assert_allclose(curve.cosines, cosines_by_hand, atol=1e-5)
        if curve.causal:
            np.testing.assert_allclose(curve.cosines, 1, atol=1e-5)
            assert "keeps its vector at every layer" in context_caption([curve])
        else:
            assert curve.cosines.min() < 0.9
        assert len(context_figure([curve]).data[0].y) == len(curve.cosines)

    def test_a_token_nothing_follows_or_nobody_typed(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, "An apple")
        with pytest.raises(ValueError, match="nothing comes after “apple”"):
            cut_after(cap, 2)
        with pytest.raises(ValueError, match="“\\[CLS\\]” is no token of the first text"):
            cut_after(cap, 0)
        assert token_at(cap, 2) == 1
        with pytest.raises(ValueError, match="no token of minilm ends there"):
            token_at(cap, 3)


class TestFigures:
    def test_strips_add_up_to_the_score(self, minilm: explorer.LoadedModel) -> None:
        row = query_row(explorer.capture(minilm, "She ate an apple."), 1, 8, 2)
        key = int(row.weights.argmax())
        figure = strips_figure(row, key)
        vectors, product, products = (np.asarray(trace.z) for trace in figure.data)
        np.testing.assert_allclose(vectors, [row.q, row.k[key]], rtol=1e-5)
        np.testing.assert_allclose(product.sum(), row.q @ row.k[key], rtol=1e-4)
        order = heaviest(row, key)
        assert order[0] == key
        np.testing.assert_allclose(products.sum(axis=1), row.products[order], rtol=1e-4)
        assert f"q·k = {row.products[key]:.3f}" in strips_caption(row, key)

    def test_deciding_dimensions_by_hand(self, minilm: explorer.LoadedModel) -> None:
        row = query_row(explorer.capture(minilm, "She ate an apple."), 1, 8, 2)
        product = row.q * row.k[3] * np.sign(row.products[3])
        positive = np.sort(product[product > 0])[::-1]
        count = next(n for n in range(1, 33) if positive[:n].sum() >= 0.8 * positive.sum())
        assert f"{count} of 32 dimensions make up 80%" in strips_caption(row, 3)

    def test_outputs_side_by_side(self, minilm: explorer.LoadedModel) -> None:
        outputs = head_outputs(explorer.capture(minilm, "She ate an apple."), 1, 2)
        bars, alike, vectors = outputs_figure(outputs, 8).data
        np.testing.assert_allclose(bars.y, np.linalg.norm(outputs.added, axis=1))
        np.testing.assert_allclose(np.diag(alike.z), 1)
        np.testing.assert_allclose(
            np.asarray(vectors.z)[-1], outputs.added.sum(axis=0) + outputs.bias, rtol=1e-4, atol=1e-6
        )
        assert "12 × 32 = 384" in outputs_caption(outputs)
        header, *body = outputs_table(outputs).csv().splitlines()
        assert header.startswith("part,length,cosine,0,1,")
        assert [line.split(",")[0] for line in body[-2:]] == ["bias", "sum"]

    def test_cosines_by_hand(self) -> None:
        found = cosines(np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 0.0]]))
        np.testing.assert_allclose(found, [[1, 0.96, 0], [0.96, 1, 0], [0, 0, 0]])


class TestTable:
    def test_scores_are_built_up_column_by_column(self, runs: Runs) -> None:
        """Scaled, capped, with the bias, masked; then e to it over the sum is eager's weight."""
        for name, capped, biased in (("gemma2", True, False), ("t5", False, True)):
            cap, expected = runs(name)
            stack = cap.stacks[0]
            row = query_row(cap, 1, 2, 4, stack)
            fields = {column["field"] for column in columns_of(row)}
            assert ("capped" in fields, "bias" in fields) == (capped, biased)
            rows = table_rows(row)
            for one in rows:
                score = one["capped"] if capped else one["scaled"]
                score += one["bias"] if biased else 0
                assert one["score"] is None if one["forbidden"] else abs(one["score"] - score) < 1e-9
            made = np.exp([-np.inf if one["score"] is None else one["score"] for one in rows])
            weights = expected.attention[stack][1][2, 4]
            np.testing.assert_allclose(made / made.sum(), weights, atol=1e-5)
            assert total_row(row)["weight"] == pytest.approx(1)
