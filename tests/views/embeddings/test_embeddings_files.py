"""The plane of a word in files, read back by json and csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from explorer.records import PLAIN_PARTS, PLAIN_PLANE, PlaneOptions, WordStudy
from explorer.saving.formats import to_json
from explorer.views.embeddings.embeddings.compute import Plane, word_projections
from explorer.views.embeddings.embeddings.data import table as plane_table
from explorer.views.embeddings.embeddings.data import telling_layer
from explorer.views.embeddings.layers.compute import word_layers
from tests.captures_by_hand import reading, studied, tokens
from tests.computing import json_of

EMBEDDINGS_KEYS = [
    "kind",
    "model",
    "revision",
    "text",
    "pair",
    "truncation",
    "word",
    "sentences",
    "layers",
    "basis",
    "fit",
    "points",
    "static",
    "explained_variance",
    "separation",
    "measures",
    "verdict",
    "notes",
    "scree",
    "distances",
    "settings",
    "versions",
]


def strictly(text: str) -> Any:
    """JSON as the standard has it: NaN and Infinity are errors."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def study(senses: str = "aabb", text: str = "an apple") -> WordStudy:
    captures = []
    for seed in range(len(senses)):
        of = tokens(text, *text.split())
        rng = np.random.default_rng(seed)
        hidden, static = rng.normal(size=(3, len(of), 4)), rng.normal(size=(len(of), 4))
        captures.append(reading(of, np.eye(len(of)), hidden=hidden, static=static))
    return studied(captures, senses, "apple")


def plane(of: WordStudy, layers: Sequence[int] = (0, 1, 2), options: PlaneOptions = PLAIN_PLANE) -> Plane:
    """The word's points at these layers."""
    made = word_projections(of, options)
    return Plane(of, tuple(made), made[layers[0]], [made[n] for n in layers], PLAIN_PARTS, lambda: word_layers(of))


def embeddings_json(
    of: WordStudy, layers: Sequence[int] = (0, 1, 2), options: PlaneOptions = PLAIN_PLANE
) -> dict[str, Any]:
    return json_of("embeddings", plane(of, layers, options))


class TestEmbeddings:
    def test_json_has_a_point_an_occurrence_and_layer(self) -> None:
        of = study()
        result = strictly(to_json(embeddings_json(of)))
        assert list(result) == EMBEDDINGS_KEYS
        assert result["layers"] == [0, 1, 2]
        assert result["basis"] == "layer"
        assert "each layer" in result["fit"]
        assert result["sentences"][2] == {"text": "an apple", "sense": "b"}
        assert list(result["explained_variance"]) == ["0", "1", "2"]
        assert [len(result[key]) for key in ("points", "static", "separation")] == [12, 12, 3]
        assert list(result["points"][0]) == ["sentence", "occurrence", "sense", "layer", "x", "y"]
        assert list(result["static"][0]) == ["sentence", "occurrence", "layer", "x", "y"]
        measures = result["measures"]
        assert {len(values) for values in measures.values()} == {3}
        assert {"self_similarity", "intra_sentence", "mev", "anisotropy", "mev_null"} <= set(measures)
        assert "2 + 2 sentences are too few to show that a and b separate" in result["verdict"]
        # Two of the six ways to deal out two senses over two and two are the given ones.
        assert min(measures["separation_p"]) >= 1 / 3

    def test_points_keep_the_distances_of_their_layer(self) -> None:
        """Four points and their static vectors, all in one plane: PCA only turns it."""
        of = study()
        flat = type(of)(**{**vars(of), "contextual": of.contextual * [1, 1, 0, 0], "static": of.static * [1, 1, 0, 0]})
        result = embeddings_json(flat, [2, 0])
        assert result["layers"] == [2, 0]
        for layer in (2, 0):
            found = [
                [point["x"], point["y"]]
                for kind in ("points", "static")
                for point in result[kind]
                if point["layer"] == layer
            ]
            vectors = np.concatenate([flat.contextual[layer], flat.static])
            np.testing.assert_allclose(pdist(found), pdist(vectors), atol=1e-9)
            np.testing.assert_allclose(sum(result["explained_variance"][str(layer)]), 1)

    def test_undefined_separation_is_null(self) -> None:
        text = to_json(embeddings_json(study("abcd")))
        assert strictly(text)["separation"] == [None, None, None]

    def test_fit_tells_scaling_and_remarks(self) -> None:
        of = study()
        of = type(of)(**{**vars(of), "remarks": ("sentence 9 is left out",)})
        fit = embeddings_json(of, [1], PlaneOptions(normalise="unit"))["fit"]
        assert fit.startswith(
            "PCA of the 4 vectors of “apple” at layer 1 together with their 4 static vectors, "
            "each scaled to length 1; sentence 9 is left out"
        )

    def test_csv_has_a_row_a_point(self) -> None:
        of = study(text='an "odd", apple')
        header, *body = rows(plane_table(plane(of, [1])).csv())
        assert header == ["kind", "sentence", "occurrence", "sense", "layer", "x", "y", "text"]
        result = embeddings_json(of, [1])
        assert [row[0] for row in body] == ["contextual"] * 4 + ["static"] * 4
        for row, point in zip(body, result["points"] + result["static"], strict=True):
            assert [int(row[1]), int(row[2])] == [point["sentence"], point["occurrence"]]
            assert [float(row[5]), float(row[6])] == [point["x"], point["y"]]
            assert (row[4], row[7]) == ("1", 'an "odd", apple')
        assert [row[3] for row in body] == list("aabbaabb")

    @pytest.mark.parametrize("layers", [[3], [0, -1]])
    def test_a_layer_out_of_range(self, layers: list[int]) -> None:
        with pytest.raises(ValueError, match="is out of range: by hand has layers 0 to 2"):
            telling_layer(study(), layers)


class TestTellingLayer:
    def test_where_the_senses_part_most(self) -> None:
        of = study("aabb")
        apart = of.contextual.copy()
        apart[1] = [[1, 0, 0, 0], [1, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0.5]]
        of = type(of)(**{**vars(of), "contextual": apart})
        layer, why = telling_layer(of)
        assert layer == 1
        # Cosine distance 1 between senses, 1 − 1/√1.25 within one.
        assert why == "where the senses separate most (separation 0.89)"
        assert telling_layer(of, [0, 2])[0] in (0, 2)

    def test_the_middle_one_without_senses(self) -> None:
        assert telling_layer(study("aaaa")) == (1, "the middle one")
