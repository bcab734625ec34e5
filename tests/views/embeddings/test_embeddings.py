"""The plane of a word, by scikit-learn and by hand."""

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
from explorer.records import PlaneOptions, StudyOptions, WordStudy
from explorer.views.embeddings.embeddings.compute import separations, word_projection
from tests.captures_by_hand import HandCapture, reading, studied, tokens

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
