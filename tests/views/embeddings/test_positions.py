"""Where position enters, against transformers' own hidden states, tables and formulas."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import torch

import explorer
from explorer.analysis.positions import embedding_sum, positions
from explorer.records import EmbeddingSum, Positions, Rotation
from explorer.views.embeddings.positions.compute import WordPositions
from explorer.views.embeddings.positions.data import table as positions_table
from explorer.views.embeddings.positions.figure import positions_caption, positions_figure
from tests import reference
from tests.captures_by_hand import reading, studied, tokens
from tests.checkpoints import FAMILIES, TEXT
from tests.conftest import Folder, Loader

# Which parts each model adds, and where its table of positions is and begins.
ENTRANCES = {
    "bert": ("static position segment", "bert.embeddings.position_embeddings", 0),
    "roberta": ("static position segment", "roberta.embeddings.position_embeddings", 2),
    "distilbert": ("static position", "distilbert.embeddings.position_embeddings", 0),
    "albert": ("static position segment", "albert.embeddings.position_embeddings", 0),
    "electra": ("static position segment", "electra.embeddings.position_embeddings", 0),
    "gpt2": ("static position", "transformer.wpe", 0),
    "opt": ("static position", "model.decoder.embed_positions", 2),
    "bart": ("static position", "model.encoder.embed_positions", 2),
    "marian": ("static position", "model.encoder.embed_positions", 0),
    "t5": ("static", "", 0),
    "llama": ("static", "", 0),
    "gemma": ("static", "", 0),
    "modernbert": ("static", "", 0),
    "deberta-v2": ("static", "", 0),
}


@pytest.mark.parametrize("name", ENTRANCES)
def test_the_parts_add_up_to_the_input_of_the_first_block(name: str, folder: Folder, tiny: Loader) -> None:
    family = FAMILIES[name]
    ids = [0, 5, 6] if family.is_encoder_decoder else None
    theirs = reference.eager(family, folder(name), TEXT, decoder_ids=ids)
    stack = next(iter(family.stacks))
    ours = embedding_sum(tiny(name), TEXT)
    parts, table, first = ENTRANCES[name]
    assert ours.parts == tuple(parts.split())
    np.testing.assert_allclose(ours.block_input, theirs.hidden[stack][0], atol=1e-5)
    assert ours.error.max() < 1e-5
    if table:
        rows = theirs.model.get_submodule(table).weight.detach().numpy()
        n = len(ours.labels)
        np.testing.assert_allclose(ours.vectors[1], rows[first : first + n], atol=1e-6)
        all_of_them = positions(tiny(name), 40).vectors
        np.testing.assert_allclose(all_of_them, rows[first : first + 40], atol=1e-6)
    if not ours.after:
        np.testing.assert_allclose(ours.total, theirs.hidden[stack][0], atol=1e-5)


def test_lengths_along_the_sum_add_up_to_its_length(minilm: explorer.LoadedModel) -> None:
    ours = embedding_sum(minilm, "I ate an apple.")
    assert (ours.parts, ours.after) == (("static", "position", "segment"), ("norm",))
    along = ours.along_the_sum(4)
    assert along.sum() == pytest.approx(np.linalg.norm(ours.vectors.sum(axis=0)[4]), rel=1e-6)
    norm = minilm.model.embeddings.LayerNorm
    total = torch.from_numpy(ours.vectors.sum(axis=0))
    np.testing.assert_allclose(norm(total).numpy(), ours.block_input, atol=1e-6)


def test_positions_of_a_rotary_model(tiny: Loader) -> None:
    found = positions(tiny("llama"))
    assert (found.kind, found.vectors, found.bias, found.d_head) == ("rotary", None, None, 8)
    (rotation,) = found.rotations
    assert (rotation.layers, rotation.theta) == ("all layers", 10_000.0)
    expected = [10_000 ** (-2 * i / 8) for i in range(4)]
    np.testing.assert_allclose(rotation.frequencies, expected, rtol=1e-6)


def test_layers_may_turn_differently(tiny: Loader) -> None:
    found = {one.layers: one.theta for one in positions(tiny("modernbert")).rotations}
    assert found == {"full attention": 160_000.0, "sliding attention": 10_000.0}


def test_positions_of_a_relative_model(tiny: Loader) -> None:
    """The bias by distance is what T5's first block adds to its scores."""
    model = tiny("t5")
    found = positions(model, 20)
    assert found.kind == "relative"
    assert found.bias is not None
    attention = model.model.encoder.block[0].layer[0].SelfAttention
    expected = attention.compute_bias(20, 20)[0].numpy()
    for query in (0, 7, 19):
        for key in (0, 3, 19):
            np.testing.assert_array_equal(found.bias[:, 19 + key - query], expected[:, query, key])


@pytest.mark.parametrize(("name", "kind"), [("bert", "learned"), ("marian", "sinusoidal"), ("deberta-v2", "none")])
def test_the_description_names_what_is_done(name: str, kind: str, tiny: Loader) -> None:
    found = positions(tiny(name), 8)
    assert (found.kind, found.model) == (kind, tiny(name).name)
    assert ("added to the token’s own" in found.description) is (kind != "none")


def test_a_learned_model_has_cosines_components_and_a_sum() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [0.0, -2.0]])
    shown = Positions("plain", "learned", vectors, (), None, 2, "a vector is added")
    figure = positions_figure(shown, _embeddings(), 1, "dark")
    similar, first, second, bars = figure.data
    expected = [[1, 0, -1, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, -1, 0, 1]]
    np.testing.assert_allclose(similar.z, expected, atol=1e-12)
    np.testing.assert_allclose(np.abs(first.y), [0, 2, 0, 2], atol=1e-12)
    np.testing.assert_allclose(np.abs(second.y), [1, 0, 1, 0], atol=1e-12)
    # The sum is (3, 4), of length 5: (3, 0) adds 9/5 to it and (0, 4) adds 16/5.
    assert list(bars.y) == ["static vector", "+ position", "= sum"]
    np.testing.assert_allclose(bars.x, [1.8, 3.2, 5.0])
    np.testing.assert_allclose(bars.base, [0, 1.8, 0])
    assert list(bars.text) == ["+1.800, own length 3.000", "+3.200, own length 4.000", "5.000 → 10.000 after norm"]
    caption = positions_caption(shown, _embeddings(), 1)
    assert "principal components (80%, 20% of the variance)" in caption
    assert "for “b”: static + position, through the norm;" in caption
    assert caption.endswith("The sum is hidden[0] to a relative 2e-07 over the sentence.")


def test_parts_that_point_against_the_sum_are_in_the_figure() -> None:
    """The sum of (−3, 0) and (5, 0) is 2 long: the bars go from 0 to −3 and to 2."""
    embeddings = _embeddings()
    vectors = np.zeros_like(embeddings.vectors)
    vectors[0, :, 0], vectors[1, :, 0] = -3, 5
    shown = Positions("plain", "learned", np.eye(4, 2), (), None, 2, "a vector is added")
    figure = positions_figure(shown, replace(embeddings, vectors=vectors), 1)
    np.testing.assert_allclose(figure.data[-1].x, [-3, 5, 2])
    low, high = figure.layout.xaxis3.range
    assert low < -3
    assert high > 2


def test_rotations_by_distance() -> None:
    turning = Rotation("all layers", 100.0, np.array([1.0, 0.1]))
    shown = Positions("plain", "rotary", None, (turning,), None, 6, "queries are rotated")
    pairs, mean, _ = positions_figure(shown, _embeddings(), 0).data
    np.testing.assert_allclose(pairs.z[:, 10], [np.cos(10), np.cos(1)])
    assert mean.y[10] == pytest.approx((np.cos(10) + np.cos(1)) / 2)
    caption = positions_caption(shown, _embeddings(), 0)
    assert "All layers: 4 of 6 dimensions a head turn in pairs with θ = 100, once in 6 to 63 tokens." in caption


def test_a_bias_by_distance() -> None:
    bias = np.array([[-1.0, 0.0, 3.0], [1.0, 2.0, 1.0]])
    shown = Positions("plain", "relative", None, (), bias, 2, "a number is added")
    heads, mean, _ = positions_figure(shown, _embeddings(), 0).data
    np.testing.assert_array_equal(heads.z, bias)
    assert (list(heads.x), heads.zmin, heads.zmax) == ([-1, 0, 1], -3, 3)
    np.testing.assert_array_equal(mean.y, [0, 1, 2])


def test_table_has_a_row_a_number() -> None:
    vectors = np.array([[1.0, 0.5]])
    shown = Positions("plain", "learned", vectors, (), np.array([[7.0]]), 2, "")
    of = tokens("a b", "a", "b")
    study = studied([reading(of, np.eye(2), hidden=np.ones((2, 2, 2)), static=np.ones((2, 2)))], ["letter"], "b")
    rows = list(csv.reader(io.StringIO(positions_table(WordPositions(study, shown, _embeddings(), 1)).csv())))
    assert rows[0] == ["what", "of", "number", "value"]
    assert ["norm: position", "b", "1", "4.0"] in rows
    assert ["sum", "b", "1", "5.0"] in rows
    assert ["given", "b", "1", "10.0"] in rows
    assert ["position, dimension", "0", "1", "0.5"] in rows
    assert rows[-1] == ["bias", "0", "0", "7.0"]


def _embeddings() -> EmbeddingSum:
    """Two tokens; the second's parts are (3, 0) and (0, 4)."""
    return EmbeddingSum(
        labels=("a", "b"),
        parts=("static", "position"),
        vectors=np.array([[[1.0, 0.0], [3.0, 0.0]], [[1.0, 0.0], [0.0, 4.0]]]),
        after=("norm",),
        block_input=np.array([[1.0, 0.0], [6.0, 8.0]]),
        error=np.array([0.0, 2e-7]),
    )
