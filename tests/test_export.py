"""Files read back by other readers: json, csv."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.spatial.distance import pdist

import explorer
from explorer.records import PLAIN_PARTS, PLAIN_PLANE, PlaneOptions, WordStudy
from explorer.saving.files import ExportError, check_path, write_file
from explorer.saving.formats import to_json
from explorer.saving.rendering import figure_bytes
from explorer.views.embeddings.embeddings.compute import Plane, word_projections
from explorer.views.embeddings.embeddings.data import table as plane_table
from explorer.views.embeddings.embeddings.data import telling_layer
from explorer.views.embeddings.layers.compute import word_layers
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.heads.heatmap.data import table as heatmap_table
from tests.captures_by_hand import reading, studied, tokens
from tests.computing import json_of
from tests.conftest import Loader

HEATMAP_KEYS = [
    "kind",
    "model",
    "revision",
    "text",
    "pair",
    "truncation",
    "stack",
    "layer",
    "head",
    "queries",
    "keys",
    "causal",
    "attention",
    "settings",
    "versions",
]
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
TEXT = "the cat sat on the mat"


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


class TestHeatmap:
    def test_json_holds_the_map_in_full_precision(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        drawn = head_map(cap, 1, 2)
        result = strictly(to_json(json_of("heatmap", drawn)))
        assert list(result) == HEATMAP_KEYS
        np.testing.assert_array_equal(np.array(result["attention"], dtype=np.float32), cap.attention(1, 2))
        assert result["queries"] == result["keys"] == list(cap.tokens)
        assert (result["kind"], result["layer"], result["head"]) == ("heatmap", 1, 2)
        assert (result["text"], result["pair"], result["causal"]) == (TEXT, None, True)
        assert result["settings"]["device"] == "cpu"
        assert result["settings"]["words"] is False
        assert result["versions"] == {
            "python": platform.python_version(),
            "explorer": explorer.__version__,
            **{name: metadata.version(name) for name in ("torch", "transformers", "numpy", "plotly")},
        }

    def test_csv_holds_the_map_in_full_precision(self, tiny: Loader) -> None:
        cap = explorer.capture(tiny("gpt2"), TEXT)
        header, *body = rows(heatmap_table(head_map(cap, 1, 2)).csv())
        assert header == ["query", *cap.tokens]
        assert [row[0] for row in body] == list(cap.tokens)
        values = np.array([row[1:] for row in body], dtype=np.float64)
        np.testing.assert_array_equal(values.astype(np.float32), cap.attention(1, 2))
        assert not values[np.triu_indices_from(values, 1)].any()

    def test_any_label_survives(self) -> None:
        labels = ('"', ",", "=1+1", "שלום", "🍎", "<b>")
        of = tokens("a b c d e f", *"abcdef", labels=labels)
        drawn = head_map(reading(of, np.eye(6)), 0, 0)
        header, *body = rows(heatmap_table(drawn).csv())
        assert tuple(header[1:]) == labels == tuple(row[0] for row in body)
        text = to_json(json_of("heatmap", drawn))
        assert tuple(strictly(text)["keys"]) == labels
        assert "🍎" in text


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


def test_what_is_no_number_is_null() -> None:
    text = to_json({"a": [float("nan"), float("inf"), 0.1], "b": {"c": -float("inf")}})
    assert strictly(text) == {"a": [None, None, 0.1], "b": {"c": None}}


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "kind"), [("a.json", "json"), ("a.b.CSV", "csv"), ("a.png", "png"), ("a.svg", "svg")]
    )
    def test_the_ending_names_the_format(self, tmp_path: Path, name: str, kind: str) -> None:
        assert check_path(tmp_path / name) == kind

    @pytest.mark.parametrize("name", ["a.txt", "a", ".json", "a.json.gz"])
    def test_an_unknown_ending_names_those_that_work(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match=r"use \.png, \.svg, \.pdf, \.html, \.csv, \.json or \.npz$"):
            check_path(tmp_path / name)

    def test_an_existing_file_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("mine")
        with pytest.raises(ValueError, match="exists: choose another name, or overwrite it with"):
            check_path(tmp_path / "a.csv")
        assert check_path(tmp_path / "a.csv", force=True) == "csv"

    def test_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(ValueError, match="is a folder"):
            check_path(tmp_path / "folder.csv", force=True)
        with pytest.raises(ValueError, match="there is no folder"):
            check_path(tmp_path / "absent" / "a.csv")

    def test_a_protected_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
        with pytest.raises(ValueError, match="is write-protected"):
            check_path(tmp_path / "a.csv")

    def test_written_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        write_file(path, "é🍎\r\n")
        assert path.read_bytes() == "é🍎\r\n".encode()
        write_file(path, b"new")
        assert path.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["a.json"]

    def test_a_link_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
        write_file(tmp_path / "link.csv", "x")
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real.csv").read_text() == "x"

    def test_a_failure_leaves_what_was_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.csv").write_text("mine")

        def full(_self: Path, _data: bytes) -> int:
            (tmp_path / f".a.csv.{os.getpid()}.part").touch()
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(ExportError, match="cannot be written: No space left on device"):
            write_file(tmp_path / "a.csv", "new")
        assert (tmp_path / "a.csv").read_text() == "mine"
        assert os.listdir(tmp_path) == ["a.csv"]


class TestBrowser:
    """Without one; with one: tests/browser/test_pictures.py."""

    def fails(self) -> str:
        with pytest.raises(ExportError) as raised:
            figure_bytes(go.Figure(), "png")
        assert "\n" not in str(raised.value)
        return str(raised.value)

    def test_a_named_browser_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CHROMIUM", "no-such-browser")
        assert self.fails().startswith("CHROMIUM=no-such-browser is no program")

    def test_none_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CHROMIUM", raising=False)
        monkeypatch.setenv("BROWSER_PATH", "/nonexistent")
        message = self.fails()
        assert message.startswith("a PNG is drawn by a browser and none was found: install")
        assert "CHROMIUM=/path/to/chromium" in message

    def test_one_that_does_not_run(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("CHROMIUM", sys.executable)
        assert "the browser that was to draw the figure does not run" in self.fails()
        assert capfd.readouterr() == ("", "")
