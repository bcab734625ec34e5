"""A query's row against eager runs and plain numpy, and how its score is drawn and tabled."""

from __future__ import annotations

import numpy as np
import pytest

import explorer
from explorer.records import ModelError, ScoreParts
from explorer.views.inside.contributions.compute import head_outputs
from explorer.views.inside.worksheet.compute import query_row, softmax_input
from explorer.views.inside.worksheet.figure import heaviest, strips_caption, strips_figure
from explorer.views.inside.worksheet.panel import columns_of, table_rows, total_row
from tests import reference
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Loader, Runs

RECORDED = [name for name, family in FAMILIES.items() if family.method == "recorder"]


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


class TestStrips:
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
