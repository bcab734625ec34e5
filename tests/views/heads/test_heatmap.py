"""Maps of heads, by hand and by transformers itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import explorer
from explorer.records import MapOptions, Sink
from explorer.views.heads.heatmap.compute import Region, coarse, head_map
from tests.captures_by_hand import HandCapture, HandStack, paired, reading, tokens

PIECES = tokens("unbelievable pie", "[CLS]", "un", "believable", "pie", "[SEP]")


WEIGHTS = np.array(
    [
        [0.50, 0.10, 0.10, 0.10, 0.20],
        [0.10, 0.20, 0.30, 0.30, 0.10],
        [0.30, 0.00, 0.10, 0.50, 0.10],
        [0.00, 0.25, 0.25, 0.25, 0.25],
        [0.90, 0.00, 0.00, 0.00, 0.10],
    ]
)


class TestHeadMap:
    def test_as_captured(self) -> None:
        drawn = head_map(reading(PIECES, WEIGHTS), 0, 0)
        np.testing.assert_array_equal(drawn.weights, WEIGHTS)
        assert drawn.queries == drawn.keys == ("[CLS]", "un", "believable", "pie", "[SEP]")
        assert drawn.allowed.all()

    def test_words_sum_keys_and_average_queries(self) -> None:
        drawn = head_map(reading(PIECES, WEIGHTS), 0, 0, switches=MapOptions(words=True))
        assert drawn.queries == drawn.keys == ("[CLS]", "unbelievable", "pie", "[SEP]")
        by_hand = [
            [0.50, 0.20, 0.10, 0.20],
            [0.20, 0.30, 0.40, 0.10],
            [0.00, 0.50, 0.25, 0.25],
            [0.90, 0.00, 0.00, 0.10],
        ]
        np.testing.assert_allclose(drawn.weights, by_hand, atol=1e-7)
        assert drawn.switches.words

    def test_special_tokens_left_out_and_nothing_renormalised(self) -> None:
        drawn = head_map(reading(PIECES, WEIGHTS), 0, 0, switches=MapOptions(special=False))
        np.testing.assert_array_equal(drawn.weights, WEIGHTS[1:4, 1:4])
        assert drawn.keys == ("un", "believable", "pie")
        assert drawn.query_notes == ("",) * 3
        assert not drawn.switches.special
        both = head_map(reading(PIECES, WEIGHTS), 0, 0, switches=MapOptions(words=True, special=False))
        np.testing.assert_allclose(both.weights, [[0.30, 0.40], [0.50, 0.25]], atol=1e-7)

    def test_a_causal_map_of_words(self) -> None:
        """A word may see a later one where a piece of it may, itself included."""
        causal = np.tril(np.ones((5, 5))) / np.arange(1, 6)[:, None]
        drawn = head_map(reading(PIECES, causal, causal=True), 0, 0, switches=MapOptions(words=True))
        np.testing.assert_array_equal(drawn.allowed, np.tri(4, dtype=bool))
        np.testing.assert_allclose(drawn.weights.sum(axis=1), 1, atol=1e-7)
        assert not drawn.weights[~drawn.allowed].any()

    def test_cross_attention_has_two_sides(self) -> None:
        other = tokens("ein Kuchen", "ein", "Ku", "chen")
        weights = np.arange(15).reshape(1, 1, 3, 5) / 100
        cross = HandCapture(HandStack(other, PIECES, weights, name="cross"), PIECES.texts[0])
        drawn = head_map(cross, 0, 0, switches=MapOptions(words=True, special=False))
        assert drawn.queries == ("ein", "Kuchen")
        assert drawn.keys == ("unbelievable", "pie")
        np.testing.assert_allclose(drawn.weights, [[0.03, 0.03], [0.18, 0.105]], atol=1e-7)

    def test_blocks_of_a_pair(self) -> None:
        pair = paired(tokens("a b", "[C]", "a", "b"), tokens("c", "[S]", "c", "[S]"))
        weights = np.random.default_rng(0).dirichlet(np.ones(6), size=6)
        cap = reading(pair, weights)
        cap.pair = "c"
        drawn = head_map(cap, 0, 0, switches=MapOptions(part="A→B"))
        assert (drawn.queries, drawn.keys) == (("a", "b"), ("c",))
        np.testing.assert_array_equal(drawn.weights, weights[1:3, 4:5])

    def test_layers_heads_taken_together(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, "She ate an apple.")
        np.testing.assert_allclose(
            head_map(cap, 2, 0, switches=MapOptions(aggregate="mean")).weights,
            cap.attention(2).mean(axis=0),
            atol=1e-7,
        )
        np.testing.assert_array_equal(
            head_map(cap, 2, 0, switches=MapOptions(aggregate="max")).weights, cap.attention(2).max(axis=0)
        )

    def test_chosen_heads_of_any_layers(self, minilm: explorer.LoadedModel) -> None:
        cap = explorer.capture(minilm, "She ate an apple.")
        chosen = ((1, 8), (3, 0), (5, 2))
        maps = np.stack([cap.attention(layer, head) for layer, head in chosen])
        for aggregate, by_numpy in (("mean", maps.mean(axis=0)), ("max", maps.max(axis=0))):
            drawn = head_map(cap, 0, 0, None, MapOptions(aggregate=aggregate, heads=chosen))
            np.testing.assert_allclose(drawn.weights, by_numpy, atol=1e-7)

    def test_norm_based_weights_from_the_checkpoint(self, minilm: explorer.LoadedModel) -> None:
        """‖A[q,k]·(x_k W_V + b_V) W_O‖ with the weights taken straight from transformers."""
        cap = explorer.capture(minilm, "She ate an apple.")
        layer, head, d_head = 2, 5, 32
        block = minilm.model.encoder.layer[layer].attention
        part = slice(head * d_head, (head + 1) * d_head)
        value = block.self.value
        with torch.no_grad():
            x = torch.from_numpy(cap.hidden[layer])
            v = x @ value.weight[part].T + value.bias[part]
            lengths = (v @ block.output.dense.weight[:, part].T).norm(dim=1).numpy()
        drawn = head_map(cap, layer, head, None, MapOptions(norm=True))
        np.testing.assert_allclose(drawn.weights, cap.attention(layer, head) * lengths, rtol=1e-4, atol=1e-6)
        assert drawn.sinks == ()
        together = head_map(cap, layer, head, None, MapOptions(norm=True, aggregate="sum"))
        each = [head_map(cap, layer, h, None, MapOptions(norm=True)).weights for h in range(12)]
        assert (together.weights <= np.sum(each, axis=0) + 1e-5).all()  # the triangle inequality

    def test_sinks_are_marked_by_their_columns(self) -> None:
        of = tokens("a b.", "[CLS]", "a", "b", ".", "[SEP]")
        weights = np.array(
            [
                [0.5, 0.1, 0.1, 0.0, 0.3],
                [0.4, 0.0, 0.2, 0.1, 0.3],
                [0.3, 0.2, 0.0, 0.2, 0.3],
                [0.2, 0.2, 0.1, 0.1, 0.4],
                [0.6, 0.0, 0.1, 0.1, 0.2],
            ]
        )
        # Column means: .40 .10 .10 .10 .30; the first, the mark and [SEP] together .8.
        assert head_map(reading(of, weights), 0, 0).sinks == (
            Sink(0, "[CLS]", pytest.approx(0.4)),
            Sink(4, "[SEP]", pytest.approx(0.3)),
            Sink(3, ".", pytest.approx(0.1)),
        )
        hidden = head_map(reading(of, weights), 0, 0, None, MapOptions(special=False))
        assert [(sink.key, sink.label) for sink in hidden.sinks] == [(2, ".")]
        assert head_map(reading(of, np.full((5, 5), 0.2) - 0.1 * np.eye(5)), 0, 0).sinks  # .54
        busy = np.tile([0.1, 0.4, 0.4, 0.05, 0.05], (5, 1))
        assert head_map(reading(of, busy), 0, 0).sinks == ()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (dict(layer=6, head=0), "layer 6 is out of range: minilm has layers 0 to 5"),
            (dict(layer=-1, head=0), "layer -1 is out of range"),
            (dict(layer=0, head=12), "head 12 is out of range: minilm has heads 0 to 11"),
            (dict(layer=0, head=0, stack="cross"), "no cross stack"),
            (dict(layer=0, head=0, switches=MapOptions(part="A→B")), "needs a second text"),
            (dict(layer=0, head=0, switches=MapOptions(aggregate="least")), "combine heads 'least'"),
            (dict(layer=0, head=0, switches=MapOptions(aggregate="sum")), "norm-based weights only"),
            (
                dict(layer=0, head=0, switches=MapOptions(aggregate="max", heads=((0, 1), (2, 12)))),
                "head 12 is out of range",
            ),
        ],
    )
    def test_what_there_is_not(self, minilm: explorer.LoadedModel, arguments: dict, said: str) -> None:
        cap = explorer.capture(minilm, "She ate an apple.")
        with pytest.raises(ValueError, match=said):
            head_map(cap, **arguments)


class TestWindow:
    WEIGHTS = np.arange(30.0).reshape(5, 6) / 30
    WIDE = HandStack(tokens("a b c d e", *"abcde"), tokens("f g h i j k", *"fghijk"), WEIGHTS[None, None])

    def test_what_fits_stays_as_it_is(self) -> None:
        drawn = head_map(HandCapture(self.WIDE, "a b c d e"), 0, 0)
        assert coarse(drawn, 6) is drawn

    def test_a_part(self) -> None:
        drawn = head_map(HandCapture(self.WIDE, "a b c d e"), 0, 0, region=Region((1, 3), (2, 99)))
        np.testing.assert_array_equal(drawn.weights, self.WEIGHTS[1:3, 2:])
        assert (drawn.queries, drawn.keys) == (("b", "c"), ("h", "i", "j", "k"))
        assert drawn.window is not None
        assert (drawn.window.query, drawn.window.key, drawn.window.whole) == (1, 2, (5, 6))

    def test_pooled_by_maximum(self) -> None:
        cap = HandCapture(self.WIDE, "a b c d e")
        by_hand = [[7, 9, 11], [19, 21, 23], [25, 27, 29]]
        in_blocks = head_map(cap, 0, 0, region=Region(most=3), block_bytes=1)
        for drawn in (coarse(head_map(cap, 0, 0), 3), in_blocks):
            np.testing.assert_allclose(drawn.weights, np.array(by_hand) / 30)
            assert drawn.queries == ("a … b", "c … d", "e")
            assert drawn.keys == ("f … g", "h … i", "j … k")
            assert drawn.window is not None
            assert (drawn.window.per_query, drawn.window.per_key) == (2, 2)
