"""The table of heads: which columns, in which order, and a row a head."""

from __future__ import annotations

import numpy as np

from explorer.records import BestOffsets, Null
from explorer.records.source import Source
from explorer.views.heads.heads.compute import head_columns, head_rows, heads_table
from tests.captures_by_hand import reading, tokens

ENTROPY = np.array([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]])
NEXT = np.full((3, 2), np.nan)
NULL = Null("entropy", ENTROPY, ENTROPY - 0.25, np.full((3, 2), 0.5), NEXT + 1, 20, 0)


def test_columns_without_nulls() -> None:
    columns = head_columns({"entropy": ENTROPY, "next_token": NEXT}, {})
    assert list(columns) == ["entropy", "next_token"]
    assert columns["entropy"] is ENTROPY


def test_a_null_stands_beside_its_measure() -> None:
    columns = head_columns({"entropy": ENTROPY, "next_token": NEXT}, {"entropy": NULL})
    assert list(columns) == ["entropy", "entropy_null", "entropy_z", "next_token"]
    assert (columns["entropy_null"] is NULL.mean, columns["entropy_z"] is NULL.z) == (True, True)


def test_best_offsets_are_columns() -> None:
    offsets = BestOffsets(np.array([[-1, 0], [2, 0], [0, -3]]), np.full((3, 2), 0.5))
    columns = head_columns({"entropy": ENTROPY}, {}, offsets)
    assert list(columns) == ["entropy", "offset", "offset_weight"]
    assert [row["offset"] for row in head_rows(columns)] == [-1, 0, 2, 0, 0, -3]
    assert {row["offset_weight"] for row in head_rows(columns)} == {0.5}


def test_a_row_a_head() -> None:
    rows = head_rows({"next_token": NEXT, "entropy": ENTROPY})
    assert [(row["layer"], row["head"], row["entropy"]) for row in rows] == [
        (0, 0, 0.5),
        (0, 1, 1.5),
        (1, 0, 2.5),
        (1, 1, 3.5),
        (2, 0, 4.5),
        (2, 1, 5.5),
    ]
    assert all(list(row) == ["layer", "head", "next_token", "entropy"] for row in rows)
    assert all(type(row["entropy"]) is float and row["next_token"] is None for row in rows)


def test_a_table_says_what_it_is_of() -> None:
    cap = reading(tokens("a b", "a", "b"), np.eye(2))
    plain = heads_table(cap, {"entropy": ENTROPY}, {})
    assert (plain.source, plain.stack) == (Source("by hand", None, "a b"), "encoder")
    assert (list(plain.columns), plain.draws, plain.seed) == (["entropy"], None, None)
    nulled = heads_table(cap, {"entropy": ENTROPY}, {"entropy": NULL})
    assert list(nulled.columns) == ["entropy", "entropy_null", "entropy_z"]
    assert (nulled.draws, nulled.seed) == (20, 0)
