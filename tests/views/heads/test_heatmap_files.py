"""The heatmap in files, read back by json and csv."""

from __future__ import annotations

import csv
import io
import json
import platform
from importlib import metadata
from typing import Any

import numpy as np

import explorer
from explorer.saving.formats import to_json
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.heads.heatmap.data import table as heatmap_table
from tests.captures_by_hand import reading, tokens
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


TEXT = "the cat sat on the mat"


def strictly(text: str) -> Any:
    """JSON as the standard has it: NaN and Infinity are errors."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


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
