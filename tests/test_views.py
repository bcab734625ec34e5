"""Views against answers worked out by hand, by scikit-learn, and by transformers itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples
from transformers import AutoModel, AutoTokenizer

import explorer
from explorer.models import bundled
from explorer.records import MapOptions, PlaneOptions, Sink, StudyOptions, WordStudy
from explorer.views.embeddings.embeddings.compute import separations, word_projection
from explorer.views.heads.heatmap.compute import Region, coarse, head_map
from explorer.views.heads.overview.compute import heads_overview
from tests.captures_by_hand import HandCapture, HandStack, paired, reading, studied, tokens
from tests.conftest import Loader

APPLES = (
    ("fruit", "She ate an apple after lunch."),
    ("fruit", "The apple fell from the old tree."),
    ("fruit", "He peeled a ripe apple for the pie."),
    ("fruit", "An apple is sweeter than a pear."),
    ("company", "She works at Apple in California."),
    ("company", "The new phone from Apple sold well."),
    ("company", "He bought shares of Apple last year."),
    ("company", "An Apple engineer wrote the software."),
)
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


class TestOverview:
    def test_pooled_by_maximum_and_scaled_by_hand(self) -> None:
        weights = np.zeros((1, 1, 4, 4))
        weights[0, 0] = [[0.1, 0.9, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0.225], [0, 0, 0.09, 0]]
        of = tokens("a b c d", *"abcd")
        overview = heads_overview(HandCapture(HandStack(of, of, weights), "a b c d"), tile=2)
        np.testing.assert_allclose(overview.tiles[0, 0], [[1, 0], [0, 0.5]])

    def test_in_blocks_of_rows_as_at_once(self) -> None:
        weights = np.random.default_rng(0).random((2, 3, 37, 37), dtype=np.float32)
        of = tokens(" ".join("a" * 37), *"a" * 37)
        cap = HandCapture(HandStack(of, of, weights), of.texts[0])
        starts = np.arange(28) * 37 // 28
        pooled = np.array(
            [
                [
                    [
                        [head[a:b, c:d].max() for c, d in zip(starts, [*starts[1:], 37], strict=True)]
                        for a, b in zip(starts, [*starts[1:], 37], strict=True)
                    ]
                    for head in layer
                ]
                for layer in weights
            ]
        )
        expected = np.sqrt(pooled / pooled.max(axis=(2, 3), keepdims=True))
        for block_bytes in (1, 5000, 10**9):
            overview = heads_overview(cap, block_bytes=block_bytes)
            np.testing.assert_allclose(overview.tiles, expected, rtol=1e-6)

    def test_a_small_map_fills_its_tile(self) -> None:
        of = tokens("a b", *"ab")
        weights = np.array([[1.0, 0.0], [0.25, 0.75]])[None, None]
        overview = heads_overview(HandCapture(HandStack(of, of, weights), "a b"), tile=4)
        by_hand = np.sqrt(np.kron(weights[0, 0], np.ones((2, 2))))
        np.testing.assert_allclose(overview.tiles[0, 0], by_hand)

    def test_a_head_without_weight_is_blank(self) -> None:
        of = tokens("a b", *"ab")
        overview = heads_overview(HandCapture(HandStack(of, of, np.zeros((1, 1, 2, 2))), "a b"))
        assert not overview.tiles.any()

    def test_every_head_of_a_model(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), "the cat sat on the mat")
        overview = heads_overview(cap, tile=3)
        assert overview.causal
        n = len(cap.tokens)
        edges = [0, n // 3, 2 * n // 3, n]
        for layer in range(cap.n_layers):
            for head in range(cap.n_heads):
                whole = cap.attention(layer, head)
                for i in range(3):
                    for j in range(3):
                        block = whole[edges[i] : edges[i + 1], edges[j] : edges[j + 1]]
                        np.testing.assert_allclose(
                            overview.tiles[layer, head, i, j] ** 2, block.max() / whole.max(), rtol=1e-5
                        )


def _occurrence(text: str, pieces: tuple[str, ...], seed: int) -> HandCapture:
    of = tokens(text, *pieces)
    rng = np.random.default_rng(seed)
    hidden, static = rng.normal(size=(3, len(of), 4)), rng.normal(size=(len(of), 4))
    return reading(of, np.eye(len(of)), hidden=hidden, static=static)


class TestWordStudy:
    def test_pieces_are_averaged_and_absence_is_said(self) -> None:
        whole = _occurrence("an apple a", ("[C]", "an", "apple", "a", "[S]"), 0)
        absent = _occurrence("no fruit", ("no", "fruit"), 1)
        cut = _occurrence("Apple and apple", ("App", "le", "and", "app", "le"), 2)
        study = studied([whole, absent, cut], ["x", "y", "z"], " apple ")
        places = [(o.sentence, o.occurrence, o.sense, o.pieces) for o in study.occurrences]
        assert places == [(0, 0, "x", 1), (2, 0, "z", 2), (2, 1, "z", 2)]
        assert [o.text[slice(*o.span)] for o in study.occurrences] == ["apple", "Apple", "apple"]
        hidden = [whole.only.hidden, cut.only.hidden]
        by_hand = [hidden[0][:, 2], hidden[1][:, :2].mean(axis=1), hidden[1][:, 3:].mean(axis=1)]
        np.testing.assert_allclose(study.contextual, np.stack(by_hand, axis=1))
        np.testing.assert_allclose(study.static[1], cut.only.static[:2].mean(axis=0))
        assert study.word == "apple"
        assert study.sentences == (("x", "an apple a"), ("y", "no fruit"), ("z", "Apple and apple"))
        assert study.remarks == (
            "sentence 2 does not hold “apple” and is left out",
            "“apple” stands in sentence 3 more than once: each place is a point of its own",
            "“apple” is cut into 2 pieces in sentence 3: the mean of its pieces is shown",
        )

    def test_case_can_be_matched(self) -> None:
        cut = _occurrence("Apple and apple", ("App", "le", "and", "app", "le"), 2)
        study = studied([cut], ["z"], "apple", options=StudyOptions(match_case=True))
        assert [o.span for o in study.occurrences] == [(10, 15)]

    def test_captures_may_be_made_on_the_way(self) -> None:
        made = (_occurrence("apple", ("apple",), seed) for seed in range(3))
        assert len(studied(made, "abc", "apple").occurrences) == 3

    @pytest.mark.parametrize(
        ("captures", "word", "said"),
        [
            ([], "apple", "there is no sentence: type at least one that holds the word"),
            (["pear tree"], "", "the word is empty: type the word to follow"),
            (["pear tree"], "  ", "the word is empty"),
            (["pineapple"], "apple", "“apple” is in none of the 1 sentences"),
        ],
    )
    def test_nothing_to_study(self, captures: list[str], word: str, said: str) -> None:
        made = [_occurrence(text, tuple(text.split()), 0) for text in captures]
        with pytest.raises(ValueError, match=said):
            studied(made, ["s"] * len(made), word)


class TestWordProjection:
    STUDY = studied([_occurrence("apple", ("apple",), seed) for seed in range(6)], "aabbbb", "apple")

    def test_contextual_and_static_share_scikit_learns_basis(self) -> None:
        shown = word_projection(self.STUDY, 2)
        together = np.concatenate([self.STUDY.contextual[2], self.STUDY.static])
        pca = PCA(2, svd_solver="full").fit(together)
        theirs, ours = pca.transform(together), np.concatenate([shown.points, shown.static])
        np.testing.assert_allclose(ours * np.sign((ours * theirs).sum(axis=0)), theirs, atol=1e-9)
        np.testing.assert_allclose(shown.explained_variance, pca.explained_variance_ratio_)
        assert shown.fit == ("PCA of the 6 vectors of “apple” at layer 2 together with their 6 static vectors")

    def test_scaling_is_said(self) -> None:
        assert word_projection(self.STUDY, 0, PlaneOptions(normalise="unit")).fit.endswith("each scaled to length 1")

    @pytest.mark.parametrize("layer", [-1, 3])
    def test_layer_out_of_range(self, layer: int) -> None:
        with pytest.raises(ValueError, match=f"layer {layer} is out of range: by hand has layers"):
            word_projection(self.STUDY, layer)

    @pytest.mark.parametrize("senses", ["aaaaaa", "aaaaab", "abcdef"])
    def test_separation_is_undefined(self, senses: str) -> None:
        captures = [_occurrence("apple", ("apple",), seed) for seed in range(6)]
        study = studied(captures, senses, "apple")
        assert separations(study) == [None, None, None]
        assert word_projection(study, 1).separation is None


def _hidden_by_transformers(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """ "apple" in each of APPLES: [L+1, n, D] and its table rows [n, D], without the explorer."""
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    hidden, static = [], []
    for _, sentence in APPLES:
        encoded = tokenizer(sentence, return_tensors="pt", return_offsets_mapping=True)
        start = sentence.lower().index("apple")
        ends = encoded.pop("offset_mapping")[0].tolist()
        (place,) = [i for i, (a, b) in enumerate(ends) if b == start + 5 and a < b]
        with torch.inference_mode():
            out = model(**encoded, output_hidden_states=True)
        hidden.append(torch.stack(out.hidden_states)[:, 0, place].numpy())
        row = encoded["input_ids"][0, place]
        static.append(model.get_input_embeddings().weight[row].detach().numpy())
    return np.stack(hidden, axis=1), np.stack(static)


def _silhouette(vectors: np.ndarray) -> float:
    """Scikit-learn's, on cosine distances made by hand."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distances = np.clip(1 - unit @ unit.T, 0, None)
    np.fill_diagonal(distances, 0)
    return silhouette_samples(distances, [s for s, _ in APPLES], metric="precomputed").mean()


@pytest.mark.parametrize("name", ["minilm", "smollm2"])
def test_apple_parts_by_sense(name: str) -> None:
    loaded = explorer.load_model(name, device="cpu")
    captures = [explorer.capture(loaded, sentence) for _, sentence in APPLES]
    study: WordStudy = studied(captures, [sense for sense, _ in APPLES], "apple")
    folder = bundled.weights_path(name).parent if name == "minilm" else Path(loaded.model.config._name_or_path)
    hidden, static = _hidden_by_transformers(folder)
    scale = np.abs(hidden).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(study.contextual / scale, hidden / scale, atol=1e-5)
    np.testing.assert_array_equal(study.static, static)
    expected = [_silhouette(layer) for layer in hidden]
    np.testing.assert_allclose(separations(study), expected, atol=1e-3)
    assert max(expected) > 0.3
