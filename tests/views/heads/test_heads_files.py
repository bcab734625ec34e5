"""The table of heads in files, read back by csv, json and pyarrow."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
from pyarrow import parquet

from explorer.records import HeadsTable
from explorer.records.source import Source
from explorer.saving.formats import to_json
from explorer.saving.parquet import heads_parquet
from explorer.views.heads.heads.data import table as measures_table
from tests.computing import json_of

NEXT = np.array([[0.1, np.nan, 1 / 3]])
TABLE = HeadsTable(
    source=Source("by hand", None, '"Straße",\n🍎'),
    stack="decoder",
    columns={"next_token": NEXT, "induction": NEXT * np.nan},
)
ROWS = [
    {"layer": 0, "head": 0, "next_token": 0.1, "induction": None},
    {"layer": 0, "head": 1, "next_token": None, "induction": None},
    {"layer": 0, "head": 2, "next_token": 1 / 3, "induction": None},
]


def test_json() -> None:
    told = json.loads(to_json(json_of("heads", TABLE)))
    assert told["heads"] == ROWS
    assert [told[key] for key in ("kind", "model", "revision", "stack", "text", "pair")] == [
        "heads",
        "by hand",
        None,
        "decoder",
        '"Straße",\n🍎',
        None,
    ]
    assert list(told["measures"]) == ["next_token", "induction"]
    assert (told["draws"], told["seed"], told["truncation"]) == (None, None, None)
    assert told["settings"]["device"] == "cpu"


def test_nulls_are_no_measures_of_their_own() -> None:
    columns = {"next_token": NEXT, "next_token_null": NEXT, "next_token_z": NEXT}
    told = json_of("heads", replace(TABLE, columns=columns, draws=7, seed=3))
    assert list(told["measures"]) == ["next_token"]
    assert (told["draws"], told["seed"]) == (7, 3)


def test_csv() -> None:
    assert list(csv.reader(io.StringIO(measures_table(TABLE).csv(), newline=""))) == [
        ["layer", "head", "next_token", "induction"],
        ["0", "0", "0.1", ""],
        ["0", "1", "", ""],
        ["0", "2", repr(1 / 3), ""],
    ]


def test_parquet() -> None:
    read = parquet.read_table(io.BytesIO(heads_parquet(json_of("heads", TABLE))))
    assert read.to_pylist() == ROWS
    assert list(map(str, read.schema.types)) == ["int64", "int64", "double", "double"]
    told = json.loads(read.schema.metadata[b"explorer"])
    assert (told["text"], told["settings"]["device"]) == ('"Straße",\n🍎', "cpu")
    assert "heads" not in told
