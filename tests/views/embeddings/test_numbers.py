"""The views of a word: their JSON, tables and figures.

Numbers are checked against the eager model with scikit-learn and numpy.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import cosine_similarity

from explorer.figures.figure_style import FigureStyle
from explorer.saving.formats import to_json
from explorer.session.session import Session
from explorer.text.example_sets import OPENING
from explorer.views.spec import ComputedView
from tests.browser import eager
from tests.computing import computed_at

SENSES, SENTENCES = (list(part) for part in zip(*OPENING.rows, strict=True))


@pytest.fixture(scope="module")
def vectors() -> tuple[np.ndarray, np.ndarray]:
    """Contextual [L+1, n, D] and static [n, D] vectors of the opening word, from transformers."""
    return eager.word_vectors("minilm", SENTENCES, "apple")


def _computed(session: Session, link: str) -> tuple[ComputedView, dict[str, Any]]:
    """A view and its numbers as strict JSON has them."""
    view, remarks = computed_at(session, link)
    assert remarks == ()
    return view, json.loads(to_json(view.result()))


def _points(rows: list[dict[str, Any]], axes: str = "xy") -> np.ndarray:
    return np.array([[row[axis] for axis in axes] for row in rows])


def _cells(view: ComputedView) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(view.table().csv(), newline="")))


Vectors = tuple[np.ndarray, np.ndarray]


class TestPlane:
    def test_points_are_scikit_learns_of_the_layer_on_the_screen(self, session: Session, vectors: Vectors) -> None:
        contextual, static = vectors
        view, result = _computed(session, "/embeddings?layer=5&axes=3")
        pca = PCA(3, svd_solver="full").fit(np.concatenate([contextual[5], static]))
        found = _points([*result["points"], *result["static"]], "xyz")
        theirs = pca.transform(np.concatenate([contextual[5], static]))
        signs = np.sign((found * theirs).sum(axis=0))
        np.testing.assert_allclose(found * signs, theirs, atol=1e-4 * np.abs(theirs).max())
        shares = result["explained_variance"]["5"]
        np.testing.assert_allclose(shares, pca.explained_variance_ratio_, atol=1e-5)
        assert result["layers"] == [5]
        assert [row["sense"] for row in result["points"]] == SENSES
        assert result["settings"]["anchors"] == list(OPENING.anchors)
        rows = [row for row in _cells(view) if row["kind"] in ("contextual", "static")]
        np.testing.assert_array_equal([[float(row[axis]) for axis in "xyz"] for row in rows], found)
        assert view.stem == "minilm-apple-layer5"

    def test_all_layers_where_paths_lead_through_them(self, session: Session) -> None:
        _, result = _computed(session, "/embeddings?basis=all&paths=true")
        assert result["layers"] == list(range(7))
        assert len(result["points"]) == 7 * 12
        # Paths need one basis: without it a layer is all there is to see.
        assert _computed(session, "/embeddings?paths=true")[1]["layers"] == [3]

    def test_other_tokens_and_what_stands_beside_the_plane(self, session: Session, vectors: Vectors) -> None:
        contextual, static = vectors
        view, result = _computed(session, "/embeddings?others=true")
        tokens = [row["token"] for row in result["others"]]
        assert "pear" in tokens
        assert "apple" not in tokens
        rows = [row for row in _cells(view) if row["kind"] == "other token"]
        assert [row["text"] for row in rows] == tokens
        (apart,) = [row for row in result["distances"] if row["pair"] == "to static"]
        mean = np.linalg.norm(contextual[3] - static, axis=1).mean()
        assert apart["euclidean"] == pytest.approx(mean, rel=1e-4)
        whole = PCA(svd_solver="full").fit(np.concatenate([contextual[3], static]))
        scree = result["scree"]["3"]
        theirs = whole.explained_variance_ratio_[: len(scree)]
        np.testing.assert_allclose(scree, theirs, atol=1e-5)
        bars = view.figure("scree", FigureStyle()).figure.data[0].y
        np.testing.assert_allclose(bars, 100 * theirs[: len(bars)], atol=1e-3)

    def test_tsne_has_no_axes_to_explain(self, session: Session) -> None:
        view, result = _computed(session, "/embeddings?method=tsne")
        with pytest.raises(ValueError, match="t-SNE explains no variance"):
            view.figure("scree", FigureStyle())
        assert result["settings"]["method"] == "tsne"
        assert result["explained_variance"] == {"3": []}
        assert "anchors" not in result or result["anchors"] == []
        assert len(result["points"]) == 12

    def test_the_file_s_frame_is_the_screen_s(self, session: Session) -> None:
        view, _ = _computed(session, "/embeddings?others=true&arrows=false")
        picture = view.figure("plane", FigureStyle(theme="dark"))
        groups = [trace.legendgroup for trace in picture.figure.data]
        assert groups == ["others", "anchors", "sense 0", "sense 1", "static"]
        low, high = picture.figure.layout.xaxis.range
        placed = [x for trace in picture.figure.data[1:] for x in trace.x]
        assert low < min(placed) < max(placed) < high
        assert picture.figure.layout.meta is None
        assert "double-click" not in picture.caption


def test_separation_is_scikit_learns_silhouette(session: Session, vectors: Vectors) -> None:
    view, result = _computed(session, "/embeddings?mode=layers&layer=5")
    theirs = [silhouette_score(layer, SENSES, metric="cosine") for layer in vectors[0]]
    np.testing.assert_allclose(result["measures"]["separation"], theirs, atol=1e-4)
    assert (result["layers"], result["layer"]) == (list(range(7)), 5)
    assert result["verdict"].startswith("fruit and company separate from layer 1 on")
    assert result["all_assignments"] is True
    assert result["assignments"] == 924  # 12 choose 6
    written = [float(row["separation"]) for row in _cells(view)]
    assert written == result["measures"]["separation"]
    shapes = view.figure("layers", FigureStyle()).figure.layout.shapes
    assert {(line.x0, line.x1) for line in shapes} == {(5, 5)}


@pytest.mark.parametrize("values", ["cosine", "corrected"])
def test_similarity_is_scikit_learns(session: Session, vectors: Vectors, values: str) -> None:
    view, result = _computed(session, f"/embeddings?mode=similarity&layer=4&values={values}")
    theirs = cosine_similarity(vectors[0][4])
    np.testing.assert_allclose(result["cosine"], theirs, atol=1e-5)
    assert result["order"] == list(range(12))
    assert result["proposals"]["adjusted_rand_index"] == 1
    groups = [row["proposal"] for row in result["occurrences"]]
    assert len(set(groups[:6])) == len(set(groups[6:])) == 1
    taken = result["anisotropy"] if values == "corrected" else 0
    rows = _cells(view)
    written = np.array([[float(row[f"{n}.0"]) for n in range(12)] for row in rows])
    np.testing.assert_allclose(written, np.array(result["cosine"]) - taken)
    drawn = view.figure("similarity", FigureStyle()).figure.data[0].z
    np.testing.assert_allclose(drawn, theirs - taken, atol=1e-5)


def test_meaning_is_the_nearest_static_vectors(session: Session, vectors: Vectors) -> None:
    view, result = _computed(session, "/embeddings?mode=meaning&meaning_of=sense:company&layer=2")
    table, words = eager.vocabulary("minilm")
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    found = [[row["token"] for row in result["words"] if row["layer"] == n] for n in range(7)]
    for state, row in zip(vectors[0], found, strict=True):
        mean = state[6:].mean(axis=0)
        nearest = np.argsort(-(table @ mean))[: len(row)]
        assert row == [words[index] for index in nearest]
    assert result["read_by"] == "static"  # this checkpoint has no head
    assert "company" in result["place"]
    rows = [row["token"] for row in _cells(view) if row["read by"] == "static"]
    assert rows[len(result["nearest"]) :] == [token for row in found for token in row]
    (frame,) = view.figure("meaning", FigureStyle()).figure.layout.shapes
    assert (frame.y0, frame.y1) == (1.5, 2.5)


def test_pull_is_what_the_output_projection_gives(session: Session, vectors: Vectors) -> None:
    view, result = _computed(session, "/embeddings?mode=pull&pull_on=7&layer=2&arrow_length=true")
    _, given, _ = eager.given_and_made("minilm", SENTENCES[7], "encoder.layer.2.attention.output.dense")
    labels = eager.run("minilm", SENTENCES[7]).labels
    total = given[labels.index("apple")]
    assert result["sum"]["length"] == pytest.approx(np.linalg.norm(total), rel=1e-4)
    assert result["tokens"] == labels
    assert (result["sentence"], result["layer"], result["head"]) == (7, 2, None)
    assert result["drawn_times"] == 1
    pca = PCA(2, svd_solver="full").fit(np.concatenate([vectors[0][2], vectors[1]]))
    along = np.abs(pca.components_ @ total)
    np.testing.assert_allclose(np.abs([result["sum"]["x"], result["sum"]["y"]]), along, atol=1e-4 * along.max())
    assert [row["head"] for row in result["heads"]] == list(range(12))
    *rows, last = _cells(view)
    assert [row["label"] for row in rows] == [arrow["label"] for arrow in result["arrows"]]
    assert float(last["length"]) == result["sum"]["length"]
    bars = view.figure("heads", FigureStyle()).figure
    assert list(bars.data[0].y) == [row["length"] for row in result["heads"]]
    assert "click" not in bars.layout.xaxis.title.text


def test_pull_of_one_head_at_the_result_is_the_last_block_s(session: Session) -> None:
    view, result = _computed(session, "/embeddings?mode=pull&head=5&layer=6")
    assert (result["layer"], result["head"]) == (5, 5)
    assert view.stem == "minilm-apple-sentence1-layer5-head5-pull"
    norms = eager.value_norms(SENTENCES[0], 5, 5)
    labels = eager.run("minilm", SENTENCES[0]).labels
    for arrow in result["arrows"]:
        theirs = norms[labels.index(arrow["label"])]
        assert arrow["value_norm"] == pytest.approx(theirs, rel=1e-3)


def test_positions_are_the_model_s_table(session: Session) -> None:
    view, result = _computed(session, "/embeddings?mode=positions&positions_of=3")
    np.testing.assert_array_equal(result["vectors"], eager.position_rows("minilm"))
    made = eager.run("minilm", SENTENCES[3])
    assert result["tokens"] == made.labels
    assert result["token"] == made.labels.index("apple")
    lengths = np.linalg.norm(made.rows, axis=1)
    np.testing.assert_allclose(result["parts"]["static"]["length"], lengths, rtol=1e-5)
    along = np.sum([part["along_the_sum"] for part in result["parts"].values()], axis=0)
    np.testing.assert_allclose(along, result["sum"], rtol=1e-5)
    np.testing.assert_allclose(result["given"], np.linalg.norm(made.hidden[0], axis=1), rtol=1e-4)
    rows = [row for row in _cells(view) if row["what"] == "norm: static"]
    np.testing.assert_allclose([float(row["value"]) for row in rows], lengths, rtol=1e-5)
