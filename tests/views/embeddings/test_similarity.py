"""The matrix of occurrences and the measures by layer as figures and tables."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from explorer.records import Anchor, Occurrence, PlaneOptions, WordStudy
from explorer.views.embeddings.embeddings.compute import word_projection
from explorer.views.embeddings.embeddings.points_figure import word_figure
from explorer.views.embeddings.layers.compute import LayerMeasures, word_layers
from explorer.views.embeddings.layers.data import table as layers_table
from explorer.views.embeddings.layers.figure import layers_caption, layers_figure
from explorer.views.embeddings.similarity.compute import OccurrenceSimilarity, proposals_in_words, word_similarity
from explorer.views.embeddings.similarity.data import table as similarity_table
from explorer.views.embeddings.similarity.figure import excerpt, similarity_caption, similarity_figure
from tests.captures_by_hand import reading, studied, tokens


def _study(senses: list[str]) -> WordStudy:
    """Vectors of sense "a" point right, all others up, each with a little of its own."""
    captures = []
    for number, sense in enumerate(senses):
        of = tokens("an apple fell", "an", "apple", "fell")
        hidden = np.random.default_rng(number).normal(size=(3, 3, 5)) * 0.1
        hidden[:, 1, 0 if sense == "a" else 1] += 3
        captures.append(reading(of, np.eye(3), hidden=hidden, static=np.ones((3, 5))))
    return studied(captures, senses, "apple")


def test_cosines_by_sense_and_corrected() -> None:
    study = _study(["a", "b", "a", "b"])
    shown = word_similarity(study, 1)
    assert shown.order == (0, 2, 1, 3)
    vectors = study.contextual[1]
    lengths = np.linalg.norm(vectors, axis=1)
    expected = vectors @ vectors.T / np.outer(lengths, lengths)
    np.testing.assert_allclose(shown.cosine, expected, atol=1e-6)
    cells = similarity_figure(study, shown).data[0]
    order = np.ix_(shown.order, shown.order)
    np.testing.assert_allclose(cells.z, expected[order], atol=1e-6)
    corrected = similarity_figure(study, shown, corrected=True).data[0]
    np.testing.assert_allclose(corrected.z, expected[order] - shown.anisotropy, atol=1e-6)
    assert corrected.zmin == -corrected.zmax
    # One line each way between the two senses.
    shapes = similarity_figure(study, shown).layout.shapes
    assert [(s.x0, s.x1, s.y0, s.y1) for s in shapes] == [(1.5, 1.5, -0.5, 3.5), (-0.5, 3.5, 1.5, 1.5)]
    assert "minus anisotropy" in similarity_caption(study, shown, corrected=True).lower()


def test_hover_has_both_sentences() -> None:
    study = _study(["a", "b", "a", "<b>"])
    shown = word_similarity(study, 0)
    hover = similarity_figure(study, shown).data[0].hovertext
    assert hover[0][1].startswith("1 · a · proposal ")
    assert "<br>3 · a · proposal " in hover[0][1]
    assert f"cosine {shown.cosine[0, 2]:.3f}" in hover[0][1]
    assert "&lt;b&gt;" in hover[0][3]


def test_unlabelled_come_last_by_proposal_and_many_get_a_label_a_sense() -> None:
    study = _study(["", "a", "", "b", "a"] * 13)
    shown = word_similarity(study, 0)
    senses = [study.occurrences[place].sense for place in shown.order]
    assert senses == ["a"] * 26 + ["b"] * 13 + [""] * 26
    axis = similarity_figure(study, shown).layout.xaxis
    assert [text.rpartition(" ")[2] for text in axis.ticktext[:2]] == ["a", "b"]
    assert axis.ticktext[2].endswith("no sense given")
    assert list(axis.tickvals) == [12.5, 32, 51.5]


def test_proposals_in_words() -> None:
    study = _study(["a", "b", "a", "b", "a"])
    shown = word_similarity(study, 0)
    assert shown.proposals is not None
    np.testing.assert_array_equal(shown.proposals.groups, [0, 1, 0, 1, 0])
    said = proposals_in_words(shown.proposals)
    assert said.startswith("2 groups by the vectors alone (k-means")
    assert "Proposals, not senses" in said
    assert "adjusted Rand index 1.00" in said
    assert "Nothing to group" in proposals_in_words(None)


def test_nearly_equal_occurrences_leave_nothing_to_group() -> None:
    """Each rounds to other decimals, yet cosine distances are about 1e-8."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=40) + 1e-4 * rng.normal(size=(3, 6, 40))
    study = _study(["a", "b"] * 3)
    near = replace(study, contextual=vectors)
    shown = word_similarity(near, 0)
    assert shown.proposals is None
    assert shown.order == (0, 2, 4, 1, 3, 5)
    assert "Nothing to group" in proposals_in_words(shown.proposals)
    assert similarity_figure(near, shown).data


def test_csv_has_the_matrix() -> None:
    study = _study(["a", "b", "a"])
    shown = word_similarity(study, 2)
    for corrected in (False, True):
        table = similarity_table(OccurrenceSimilarity(study, shown, corrected))
        rows = list(csv.DictReader(io.StringIO(table.csv(), newline="")))
        written = np.array([[row[name] for name in ("0.0", "1.0", "2.0")] for row in rows], float)
        expected = shown.cosine - (shown.anisotropy if corrected else 0)
        np.testing.assert_allclose(written, expected)
        assert [row["sense"] for row in rows] == ["a", "b", "a"]


def test_a_layer_out_of_range() -> None:
    with pytest.raises(ValueError, match="layer 3 is out of range"):
        word_similarity(_study(["a", "b"]), 3)


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("an apple fell", (3, 8), "an apple fell"),
        ("one two three apple four five six", (14, 19), "… three apple four …"),
        ("ab" * 9 + "X" + "cd" * 9, (18, 19), "… " + "ab" * 5 + "X" + "cd" * 5 + " …"),
    ],
)
def test_excerpt_keeps_whole_words(text: str, span: tuple[int, int], expected: str) -> None:
    assert excerpt(Occurrence(0, 0, "", text, span, 1, 0), 21) == expected


def test_49_senses_look_different_in_every_figure() -> None:
    senses = [f"sense {number}" for number in range(49)]
    study = replace(_study(senses), anchors=(Anchor("pear", "The word is pear.", np.ones((3, 5)), np.ones(5)),))
    for axes in (2, 3):
        shown = word_projection(study, 1, PlaneOptions(axes=axes))
        drawn = [trace.marker for trace in word_figure(study, shown).data if trace.name in senses]
        assert len({(marker.color, marker.symbol) for marker in drawn}) == 49
    similar = word_similarity(study, 1)
    labels = similarity_figure(study, similar).layout.xaxis.ticktext
    assert len({label.rpartition(" ")[0] for label in labels}) == 49
    lines = [trace for trace in layers_figure(word_layers(study)).data if trace.name in senses]
    assert len({(line.marker.color, line.marker.symbol) for line in lines}) == 49


def test_a_panel_a_measure_by_layer() -> None:
    anchor = Anchor("pear", "The word is pear.", np.ones((3, 5)), np.ones(5))
    study = replace(_study(["a", "b", "a", "b"]), anchors=(anchor,))
    layers = word_layers(study)
    figure = layers_figure(layers, "dark", 1)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    drawn = [np.array(trace.y) for trace in lines]
    expected = [c.values for c in layers.curves.values()]
    expected += list(layers.anchors["pear"].by_sense.values())
    for one, other in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    # Four sentences cannot be significant: all points of the separation are open.
    assert set(lines[0].marker.symbol) == {"circle-open"}
    assert {shape.x0 for shape in figure.layout.shapes} == {1}
    assert len(figure.layout.shapes) == 6
    assert "6 ways to permute the senses (all of them)" in layers_caption(layers)
    rows = list(csv.DictReader(io.StringIO(layers_table(LayerMeasures(study, layers)).csv(), newline="")))
    assert [row["layer"] for row in rows] == ["0", "1", "2"]
    np.testing.assert_allclose([float(row["separation"]) for row in rows], layers.curves["separation"].values)
