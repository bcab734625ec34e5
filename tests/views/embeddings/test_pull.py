"""The pull of a head: arrows by hand, and adding up to what transformers' own attention gives."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from transformers import AutoModel, AutoTokenizer

import explorer
from explorer.models import checkpoints as real
from explorer.records import ModelError, Occurrence, PlaneOptions, Pull, WordStudy
from explorer.text.example_sets import OPENING
from explorer.views.embeddings.embeddings.compute import word_projection
from explorer.views.embeddings.pull.compute import WordPull, pull, pull_plane, stretch
from explorer.views.embeddings.pull.data import table as pull_table
from explorer.views.embeddings.pull.figure import heads_figure, pull_caption, pull_figure
from explorer.views.embeddings.study import word_study
from tests.captures_by_hand import HandCapture, HandStack, studied, tokens
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder, Loader
from tests.reference import load, relative

# What is given the residual stream with attention's output added, as transformers has it:
# a norm's input, in each family. {} is the layer.
STREAM_AFTER = {
    "bert": "bert.encoder.layer.{}.attention.output.LayerNorm",
    "distilbert": "distilbert.transformer.layer.{}.sa_layer_norm",
    "roberta": "roberta.encoder.layer.{}.attention.output.LayerNorm",
    "electra": "electra.encoder.layer.{}.attention.output.LayerNorm",
    "modernbert": "model.layers.{}.mlp_norm",
    "gpt2": "transformer.h.{}.ln_2",
    "gpt-bigcode": "transformer.h.{}.ln_2",
    "opt": "model.decoder.layers.{}.final_layer_norm",
    "llama": "model.layers.{}.post_attention_layernorm",
    "mistral": "model.layers.{}.post_attention_layernorm",
    "gemma": "model.layers.{}.post_attention_layernorm",
    "gpt-oss": "model.layers.{}.post_attention_layernorm",
    "t5": "encoder.block.{}.layer.1.layer_norm",
    "bart": "model.encoder.layers.{}.self_attn_layer_norm",
}
POST = {"bert", "distilbert", "roberta", "electra", "bart"}


def occurrence_of(text: str, word: str, pieces: int = 1) -> Occurrence:
    start = text.index(word)
    return Occurrence(0, 0, "", text, (start, start + len(word)), pieces, 0)


def inputs_of(model: Any, path: str, n_layers: int, run: Callable[[], Any]) -> list[np.ndarray]:
    """What modules were given in a run [N, D], a layer each; OPT gives no batch."""
    given: list[np.ndarray] = []
    hooks = [
        model.get_submodule(path.format(layer)).register_forward_pre_hook(
            lambda _module, args: given.append(args[0].flatten(0, -2).numpy().astype(np.float64))
        )
        for layer in range(n_layers)
    ]
    with torch.inference_mode():
        run()
    for hook in hooks:
        hook.remove()
    return given


def assert_adds_up(cap: Any, pieces: list[int], word: Occurrence, expected: list[np.ndarray]) -> None:
    """Residual + every head's arrows + output bias = the attention block's own output."""
    source = cap.stack()
    for layer, stream in enumerate(expected):
        pulls = [pull(cap, word, layer, head) for head in range(source.n_heads)]
        arrows = np.concatenate([one.contributions for one in pulls]).sum(axis=0)
        after = pulls[0].before + arrows + pulls[0].bias
        assert relative(after, stream[pieces].mean(axis=0)) < 1e-4
        together = pull(cap, word, layer)
        assert relative(together.before + together.total, stream[pieces].mean(axis=0)) < 1e-4
        for head, one in enumerate(pulls):
            own = source.head_output(layer, head)[pieces].mean(axis=0)
            np.testing.assert_allclose(one.total, own, atol=1e-4 * np.abs(own).max())
            np.testing.assert_allclose(together.heads[head], one.total, atol=1e-12)


@pytest.mark.parametrize("name", STREAM_AFTER)
def test_arrows_of_all_heads_add_up(name: str, folder: Folder, tiny: Loader) -> None:
    family = FAMILIES[name]
    target = TEXT if family.is_encoder_decoder else None
    cap = explorer.capture(tiny(name), TEXT, target=target)
    model = load(family, folder(name))
    encoded = AutoTokenizer.from_pretrained(folder(name))(TEXT, return_tensors="pt")
    if target:
        encoded["decoder_input_ids"] = encoded["input_ids"]
    stack = next(iter(family.stacks))
    n_layers = family.stacks[stack][0]
    expected = inputs_of(model, STREAM_AFTER[name], n_layers, lambda: model(**encoded))
    source = cap.stack()
    assert source.residual == ("post" if name in POST else "pre")
    span = occurrence_of(TEXT, "apple").span
    offsets = source.query_tokens.offsets
    pieces = [i for i, (a, b) in enumerate(offsets) if a < span[1] and b > max(span[0], a)]
    assert_adds_up(cap, pieces, occurrence_of(TEXT, "apple", len(pieces)), expected)


@pytest.mark.parametrize(
    ("name", "path", "residual"),
    [
        ("minilm", "encoder.layer.{}.attention.output.LayerNorm", "post"),
        ("smollm2", "layers.{}.post_attention_layernorm", "pre"),
    ],
)
def test_bundled_models_add_up(name: str, path: str, residual: str) -> None:
    """smollm2's nine heads share three keys and values."""
    text = "She picked a ripe apple from the old tree."
    folder: Path = real.find(name, None, lambda _sentence, _share: None).folder
    model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    start = text.index("apple")
    (place,) = [i for i, (a, b) in enumerate(offsets) if b == start + 5]
    cap = explorer.capture(explorer.load_model(name, device="cpu"), text)
    expected = inputs_of(model.eval(), path, 2, lambda: model(**encoded))
    assert cap.stack().residual == residual
    assert_adds_up(cap, [place], occurrence_of(text, "apple"), expected)


@pytest.mark.parametrize(("name", "residual"), [("gemma2", "inner"), ("gpt-neox", "parallel")])
def test_other_ways_to_meet_the_stream_are_known(name: str, residual: str, folder: Folder, tiny: Loader) -> None:
    """What is drawn there is what the output projection itself gives."""
    cap = explorer.capture(tiny(name), TEXT)
    model = load(FAMILIES[name], folder(name))
    encoded = AutoTokenizer.from_pretrained(folder(name))(TEXT, return_tensors="pt")
    given: list[np.ndarray] = []
    path = FAMILIES[name].outputs["decoder"].format(1)
    model.get_submodule(path).register_forward_hook(lambda _module, _args, output: given.append(output[0].numpy()))
    with torch.inference_mode():
        model(**encoded)
    one = pull(cap, occurrence_of(TEXT, "store"), 1)
    assert one.residual == residual
    place = int(np.flatnonzero(np.array(one.kinds) == "the word itself")[-1])
    count = one.kinds.count("the word itself")
    assert relative(one.total, given[0][place + 1 - count : place + 1].mean(axis=0)) < 1e-4
    figure = pull_figure(*shown(cap, "store", one))
    names = [trace.name for trace in figure.data]
    assert ("the word after" in names) == (residual == "parallel")


def shown(cap: Any, word: str, one: Pull) -> tuple[WordStudy, Pull, Any]:
    study = word_study(lambda _sentence: cap, [("", cap.text)], word)
    return study, one, pull_plane(0, one, word_projection(study, one.layer))


def test_a_model_run_eagerly_says_so(tiny: Loader) -> None:
    cap = explorer.capture(tiny("deberta-v2"), TEXT)
    with pytest.raises(ModelError, match="was captured eagerly, weights only"):
        pull(cap, occurrence_of(TEXT, "apple"), 0)


@pytest.mark.parametrize(("layer", "head"), [(3, 0), (-1, 0), (0, 4), (0, -1)])
def test_a_head_there_is_not(layer: int, head: int, tiny: Loader) -> None:
    with pytest.raises(ValueError, match="is out of range"):
        pull(explorer.capture(tiny("bert"), TEXT), occurrence_of(TEXT, "apple"), layer, head)


class ByHand(HandStack):
    """Two heads, three tokens, a residual stream of three dimensions."""

    residual = "post"
    values = np.array([[[2.0, 0, 0], [0, 1, 0], [0, 0, 3]], [[0.0, 4, 0], [0, 0, 2], [1, 0, 0]]])

    def transformed_values(self, layer: int, head: int | None = None) -> np.ndarray:
        return self.values if head is None else self.values[head]

    def output_bias(self, layer: int) -> np.ndarray:
        return np.array([0.0, 0.0, 0.5])


# The word stands in tokens 1 and 2; head 0 weighs [.5 .5 0] and [.5 0 .5] there.
WEIGHTS = np.array([[[1.0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]], [[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]]])


def by_hand(causal: bool = False) -> HandCapture:
    of = tokens("a bc", "a", ("b", 2, 3), ("c", 3, 4))
    hidden = np.array([[[9.0, 9, 9], [4, 0, 0], [0, 2, 0]], [[0.0, 0, 0]] * 3])
    static = np.array([[9.0, 9, 9], [0, 0, 0], [0, 0, 0]])
    return HandCapture(ByHand(of, of, WEIGHTS[None], hidden, static, causal), "a bc")


def test_a_head_by_hand() -> None:
    cap = by_hand()
    one = pull(cap, occurrence_of("a bc", "bc", 2), 0, 0)
    np.testing.assert_allclose(one.weights, [0.5, 0.25, 0.25])
    np.testing.assert_allclose(one.value_norms, [2, 1, 3])
    np.testing.assert_allclose(one.contributions, [[1, 0, 0], [0, 0.25, 0], [0, 0, 0.75]])
    np.testing.assert_allclose(one.before, [2, 1, 0])
    np.testing.assert_allclose(one.total, [1, 0.25, 0.75])
    np.testing.assert_allclose(one.heads, [[1, 0.25, 0.75], [0.5, 2, 0]])
    # Of both heads and the bias, whichever head is looked at.
    np.testing.assert_allclose(one.attention, [1.5, 2.25, 1.25])
    assert one.kinds == ("other words", "the word itself", "the word itself")


def test_all_heads_by_hand() -> None:
    one = pull(by_hand(), occurrence_of("a bc", "bc", 2), 0)
    np.testing.assert_allclose(one.weights, [0.5, 0.125, 0.375])
    assert np.isnan(one.value_norms).all()
    np.testing.assert_allclose(one.contributions, [[1, 2, 0], [0, 0.25, 0], [0.5, 0, 0.75]])
    np.testing.assert_allclose(one.total, [1.5, 2.25, 1.25])


def plane_by_hand(head: int | None) -> tuple[WordStudy, Pull, Any]:
    """The word at (2, 1, 0) and static at 0: the plane is that one line, (2, 1, 0)/√5."""
    cap = by_hand()
    study = studied([cap], [""], "bc")
    one = pull(cap, study.occurrences[0], 0, head)
    return study, one, pull_plane(0, one, word_projection(study, one.layer))


def test_arrows_by_hand() -> None:
    _, _, plane = plane_by_hand(0)
    arrows = {arrow.label: arrow for arrow in plane.arrows}
    assert list(arrows) == ["a", "c", "b"]  # strongest first: 1, 0.75, 0.25
    root = 5**0.5
    assert arrows["a"].x == pytest.approx(2 / root)
    assert arrows["b"].x == pytest.approx(0.25 / root)
    assert arrows["c"].x == pytest.approx(0, abs=1e-12)
    assert [arrows[of].y for of in "abc"] == [0, 0, 0]
    assert arrows["a"].seen == pytest.approx(2 / root)
    assert arrows["b"].seen == pytest.approx(1 / root)
    total = (1 + 0.25**2 + 0.75**2) ** 0.5
    assert arrows["a"].cosine == pytest.approx(1 / total)
    assert [arrows[of].share for of in "abc"] == pytest.approx([1 / total**2, 0.25**2 / total**2, 0.75**2 / total**2])
    assert plane.total.length == pytest.approx(total)
    assert plane.total.x == pytest.approx(2.25 / root)
    assert plane.attention.x == pytest.approx(5.25 / root)
    np.testing.assert_allclose(plane.heads, [total, 4.25**0.5])
    np.testing.assert_allclose(plane.heads_seen, [2.25 / root, 3 / root])


@pytest.mark.parametrize("basis", ["layer", "all"])
@pytest.mark.parametrize("normalise", ["none", "standard"])
def test_arrows_lie_in_the_planes_own_axes(basis: str, normalise: str, minilm: explorer.LoadedModel) -> None:
    """scikit-learn's axes, of what the plane view says it is fitted on."""
    study = word_study(lambda sentence: explorer.capture(minilm, sentence), OPENING.rows, OPENING.word)
    occurrence = study.occurrences[2]
    one = pull(explorer.capture(minilm, occurrence.text), occurrence, 4)
    shown = word_projection(study, 4, PlaneOptions(basis=basis, normalise=normalise))
    plane = pull_plane(2, one, shown)
    layers = study.contextual[4:5] if basis == "layer" else study.contextual
    fitted = np.concatenate([*layers, study.static]).astype(np.float64)
    scale = np.ones(fitted.shape[1]) if normalise == "none" else fitted.std(axis=0)
    pca = PCA(2, svd_solver="full").fit(fitted / scale)
    signs = np.sign((shown.points * pca.transform(study.contextual[4] / scale)).sum(axis=0))
    axes = pca.components_ * signs[:, None]
    for arrow, vector in ((plane.total, one.total), (plane.attention, one.attention)):
        np.testing.assert_allclose([arrow.x, arrow.y], axes @ (vector / scale), rtol=1e-3)
        assert arrow.length == pytest.approx(np.linalg.norm(vector))
    # From where the word stands in that plane.
    np.testing.assert_array_equal(plane.points, shown.points)
    assert plane.fit == shown.fit


def test_no_arrows_where_differences_have_no_place() -> None:
    study, one, _ = plane_by_hand(0)
    for switches, why in (
        (PlaneOptions(normalise="unit"), "scaled to length 1"),
        (PlaneOptions(method="tsne"), "t-SNE has no axes"),
    ):
        with pytest.raises(ValueError, match=why):
            pull_plane(0, one, word_projection(study, 0, switches))


def test_the_bias_is_an_arrow_of_all_heads_only() -> None:
    _, _, plane = plane_by_hand(None)
    assert [arrow.label for arrow in plane.arrows] == ["a", "c", "output bias", "b"]
    assert sum(arrow.share for arrow in plane.arrows) == pytest.approx(1)
    assert sum(arrow.x for arrow in plane.arrows) == pytest.approx(plane.total.x)
    assert plane.arrows[2].weight is None
    assert plane.arrows[2].length == 0.5


def test_what_cannot_act_has_no_arrow() -> None:
    text = "bc a"
    of = tokens(text, "bc", "a")
    weights = np.array([[[1.0, 0], [0.5, 0.5]]] * 2)
    stack = ByHand(of, of, weights[None], np.ones((2, 2, 3)), np.zeros((2, 3)), causal=True)
    stack.values = np.ones((2, 2, 3))
    cap = HandCapture(stack, text)
    study = studied([cap], [""], "bc")
    one = pull(cap, study.occurrences[0], 0, 0)
    plane = pull_plane(0, one, word_projection(study, one.layer))
    assert [arrow.label for arrow in plane.arrows] == ["bc"]
    assert one.kinds == ("the word itself", "other words")
    assert "Tokens after the word cannot act" in pull_caption(study, one, plane)


def test_the_figure_starts_at_the_word_and_draws_to_scale() -> None:
    study, one, plane = plane_by_hand(0)
    traces = {trace.name: trace for trace in pull_figure(study, one, plane, times=10).data}
    start = plane.points[0]
    assert (traces["the word before"].x[0], traces["the word before"].y[0]) == tuple(start)
    tip = traces["other words"].x[1] - start[0]
    assert tip == pytest.approx(10 * 2 / 5**0.5)
    assert traces["sum: head 0"].x[1] - start[0] == pytest.approx(10 * 2.25 / 5**0.5)
    # Where the word stands after attention is a place, never stretched.
    assert traces["the word after"].x[0] - start[0] == pytest.approx(5.25 / 5**0.5)
    assert "<b>a</b> · other words" in traces["other words"].customdata[1]
    assert "weight A 0.5 · ‖v W_O‖ 2" in traces["other words"].customdata[1]
    assert "length 1, in this plane 89% of it" in traces["other words"].customdata[1]


def test_the_star_is_the_pulled_occurrences_own_static_vector() -> None:
    """The second occurrence is another token: static (4, 0, 0), where the first has 0."""
    other = by_hand()
    assert other.only.static is not None
    other.only.static = np.add(other.only.static, [[0, 0, 0], [4, 0, 0], [4, 0, 0]])
    study = studied([by_hand(), other], ["", ""], "bc")
    np.testing.assert_array_equal(study.static, [[0, 0, 0], [4, 0, 0]])
    shown = word_projection(study, 0)
    for place in (0, 1):
        one = pull(other, study.occurrences[place], 0, 0)
        figure = pull_figure(study, one, pull_plane(place, one, shown))
        (star,) = [trace for trace in figure.data if trace.name == "static vector"]
        np.testing.assert_allclose([star.x[0], star.y[0]], shown.static[place])
    assert np.ptp(shown.static, axis=0).max() > 1


def test_the_caption_says_what_is_drawn() -> None:
    study, one, plane = plane_by_hand(0)
    caption = pull_caption(study, one, plane, 10)
    assert "each token’s A·v·W_O at “bc” in “a bc”, layer 0 of by hand, in head 0" in caption
    assert "The sum is 1.27 long, the word’s vector 2.24; this plane shows 79% of" in caption
    assert "drawn 10 times their length" in caption
    assert "means over the word’s 2 pieces" in caption
    assert "then the sum is normalised" in caption


@pytest.mark.parametrize(("longest", "times"), [(1.0, 1), (0.2, 5), (0.03, 30), (0.004, 200)])
def test_arrows_are_drawn_long_enough_to_see(longest: float, times: int) -> None:
    """The plane is √5 wide; the longest arrow is to take at most 0.45 of it."""
    cap = by_hand()
    cap.only.values = ByHand.values * longest / 2.25 * 5**0.5
    study = studied([cap], [""], "bc")
    plane = pull_plane(0, pull(cap, study.occurrences[0], 0, 0), word_projection(study, 0))
    assert max(plane.total.x, *(arrow.x for arrow in plane.arrows)) == pytest.approx(longest)
    assert stretch(plane) == times


def test_bars_show_how_far_each_head_moves_the_word() -> None:
    _, one, plane = plane_by_hand(1)
    whole, seen = heads_figure(one, plane).data
    np.testing.assert_allclose(whole.y, [(1 + 0.0625 + 0.5625) ** 0.5, 4.25**0.5])
    np.testing.assert_allclose(seen.y, [2.25 / 5**0.5, 3 / 5**0.5])
    assert whole.marker.color[0] != whole.marker.color[1]


def test_the_table_saves_as_csv() -> None:
    record = WordPull(*plane_by_hand(None), times=10)
    rows = list(csv.DictReader(io.StringIO(pull_table(record).csv())))
    assert [row["label"] for row in rows] == ["a", "c", "output bias", "b", "the sum"]
    assert rows[2]["weight"] == rows[0]["value_norm"] == ""
    assert sum(float(row["x"]) for row in rows[:4]) == pytest.approx(float(rows[4]["x"]))
    assert float(rows[4]["share"]) == pytest.approx(1)
