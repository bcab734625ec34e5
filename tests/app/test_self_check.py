"""The self-check in words, and its page as it is sent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from dash import html

from explorer.analysis.identities import CLAIMS
from explorer.analysis.identities.report import magnitude, verdict, where
from explorer.app import self_check as check
from explorer.records import Identity, Place
from tests.captures_by_hand import BOTH_WAYS, by_hand

ROWS, HEADS, LOGITS = (CLAIMS[name] for name in ("rows", "heads_add_up", "eager_logits"))
HOLDS = Identity(ROWS, 1e-5, 3.14e-7, Place("encoder", 2, 8))
FAILS = Identity(HEADS, 1e-4, 0.07, Place("encoder", 3))
OPEN = Identity(LOGITS, 1e-4, why_not="there is no head")
COARSE = Identity(HEADS, 0.1, 0.02, Place("decoder", 1), note="more is allowed")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([HOLDS, COARSE], "All 2 identities hold for m on this text."),
        ([HOLDS, OPEN], "The one identity that applies holds for m on this text; 1 does not apply."),
        ([HOLDS, FAILS, OPEN], "1 of 2 identities does not hold for m on this text: The heads add up."),
        (
            [FAILS, Identity(ROWS, 1, math.nan)],
            "2 of 2 identities do not hold for m on this text: The heads add up; Each row adds up to 1.",
        ),
        ([OPEN, OPEN], "No identity applies to m on this text."),
    ],
)
def test_verdict(found: list[Identity], said: str) -> None:
    assert verdict("m", found) == said


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (0.0712, "0.071"),
        (3.14e-7, "3.1 × 10⁻⁷"),
        (1e-5, "10⁻⁵"),
        (2e-16, "2 × 10⁻¹⁶"),
        (9.96e-5, "10⁻⁴"),
        (4.2e9, "4.2 × 10⁹"),
        (math.nan, "no number"),
        (math.inf, "infinite"),
    ],
)
def test_magnitude(number: float, told: str) -> None:
    assert magnitude(number) == told


def test_an_error_of_nothing_is_nowhere() -> None:
    assert where(HOLDS) == "encoder · layer 2 · head 8"
    assert where(Identity(ROWS, 1e-5, 0.0, Place("encoder", 0, 0))) == ""
    assert where(OPEN) == ""
    assert where(Identity(ROWS, 1e-5, math.nan, Place("cross", state=3))) == "cross · state 3"


def _parts(component: Any, kind: type) -> Iterator[Any]:
    return (part for part in component._traverse() if isinstance(part, kind))


def _words(component: Any) -> str:
    if isinstance(component, (str, int)):
        return str(component)
    parts = component if isinstance(component, list) else getattr(component, "children", None) or []
    return " ".join(_words(part) for part in (parts if isinstance(parts, list) else [parts]))


def test_every_result_has_a_word_and_a_mark() -> None:
    cap: Any = by_hand(BOTH_WAYS)
    line, table = check.checked(cap, "cpu", [HOLDS, FAILS, OPEN, COARSE])
    assert "✗" in _words(line)
    assert "by hand · cpu" in _words(line)
    rows = [_words(row) for row in list(_parts(table, html.Tr))[1:]]
    assert [row.split(" Each")[0].split(" The")[0].split(" Pred")[0] for row in rows] == [
        "✓ holds",
        "✗ fails",
        "– does not apply",
        "✓ holds",
    ]
    assert "3.1 × 10⁻⁷ 10⁻⁵ encoder · layer\u00a02 · head\u00a08" in rows[0]
    assert "0.07 10⁻⁴ encoder · layer\u00a03" in rows[1]
    assert "There is no head." in rows[2]
    assert "More is allowed." in rows[3]
    for row, claim in zip(rows, (ROWS, HEADS, LOGITS, HEADS), strict=True):
        assert all(part in row for part in (claim.title, claim.statement, claim.formula))


def test_before_a_run_it_says_what_will_be_checked() -> None:
    line, table = check.unchecked()
    assert "Nothing is checked yet" in _words(line)
    assert all(claim.title in _words(table) for claim in CLAIMS.values())
    assert _words(table).count("not yet") == len(CLAIMS)


def test_help_tells_each_identity() -> None:
    *_, page, panel = check.layout()
    assert "What am I seeing?" in _words(page)
    told = _words(panel)
    assert all(claim.reading in told for claim in CLAIMS.values())
