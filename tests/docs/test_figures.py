"""The figures told in docs/costs.md and the README are those in bench/results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COSTS = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
CAPTURE, BROWSER, LONG, HEADS = (
    json.loads((ROOT / "bench" / "results" / f"{name}-cpu.json").read_text(encoding="utf-8"))
    for name in ("capture", "browser", "heads-long", "heads")
)


def _rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = COSTS.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)[2:]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def _number(cell: str) -> float:
    """The number in a cell: 1,024, 2.7 MB, 3.3 s or 1/5.3."""
    top, _, bottom = cell.replace(",", "").removesuffix(" MB").removesuffix(" s").partition("/")
    return float(top) / float(bottom or 1)


def _row(result: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return next(row for row in result if all(row[key] == value for key, value in wanted.items()))


def test_a_capture() -> None:
    told = _rows("A capture")
    assert [int(_number(row[0])) for row in told] == [row["tokens"] for row in CAPTURE["rows"]]
    for (_, *cells), row in zip(told, CAPTURE["rows"], strict=True):
        size = row["bytes"]
        assert [_number(cell) for cell in cells] == [
            pytest.approx(row["to_sdpa"], abs=0.005),
            pytest.approx(row["eager_to_capture"], abs=0.05),
            pytest.approx(size["queries_keys"] / size["attention"], rel=0.03),
            pytest.approx(size["queries_keys_values"] / size["attention"], rel=0.03),
        ]
    largest = max(row["largest_difference_to_eager"] for row in CAPTURE["rows"])
    assert f"{largest * 1e7:.1f} × 10⁻⁷ at most" in COSTS
    assert f"{CAPTURE['rows'][-1]['to_sdpa']:.2f} times a plain pass" in README


def test_the_server() -> None:
    steps = LONG["steps"]
    told = [_number(seconds) for _, seconds in _rows("What the Heads page asks of the server")]
    order = ("capture", "window", "measures", "overview")
    expected = [steps[name]["seconds"] for name in order]
    assert told == [round(seconds, 0 if seconds > 1 else 1) for seconds in expected]
    assert f"{steps['capture']['holds'] / 1e9:.1f} GB" in COSTS
    rows = [row for row in HEADS["rows"] if row["model"] == "smollm2"]
    short = [row["measures_to_capture"] for row in rows if row["tokens"] <= 512]
    assert f"{min(short):.1f} to {max(short):.1f} of a capture" in COSTS
    last = _row(HEADS["rows"], model="smollm2", tokens=2048)
    assert round(last["measures_to_capture"]) == 2
    held = last["bytes"]["all_attention"] / last["peak_bytes"]["measures"]["host"]
    assert f"1/{held:.0f} of what all attention" in COSTS


def test_the_browser_beside_bertviz() -> None:
    told = _rows("What goes to the browser")
    assert len(told) == 9
    for start, tokens in enumerate((16, 64, 128)):
        own = _row(BROWSER["rows"], model="minilm", tokens=tokens)
        views = [_row(BROWSER["bertviz"], view=view, tokens=tokens) for view in ("head_view", "model_view")]
        size, painted, nodes = (row[2:] for row in told[3 * start : 3 * start + 3])
        for cells, ours, theirs in (
            (size, own["bytes"]["page"] / 1e6, [v["bytes_compressed"] / 1e6 for v in views]),
            (painted, own["seconds"]["open"], [view["seconds"] for view in views]),
            (nodes, own["nodes"]["map"], [view["nodes"] for view in views]),
        ):
            expected = [ours, *(one for other in theirs for one in (other, other / ours))]
            close = [pytest.approx(value, abs=0.05, rel=0.02) for value in expected]
            assert [_number(cell) for cell in cells] == close
    times = [round(view["nodes"] / own["nodes"]["map"]) for view in views]
    assert f"{own['nodes']['map']:,} nodes, BertViz’s views {times[0]} and {times[1]}" in README


def test_clicks_and_sizes() -> None:
    def median(tokens: int) -> float:
        found = sorted(row["seconds"]["click"] for row in BROWSER["rows"] if row["tokens"] == tokens)
        return sum(found) / len(found)  # of two

    assert f"{median(128):.2f} s at 128 tokens and {median(512):.2f} s at 512" in COSTS
    rows = BROWSER["rows"]
    largest = max(row["bytes"]["map"] for row in rows if row["tokens"] == 512)
    assert f"at most {largest / 1e6:.2f} MB" in COSTS
    assert f"{max(row['bytes']['overview'] for row in rows) / 1e6:.2f} MB; no view" in " ".join(COSTS.split())
    assert max(count for row in rows for count in row["nodes"].values()) <= 3600
    ratios = [row["click_to_bare"] for row in rows]
    assert (round(min(ratios), 1), round(max(ratios))) == (1.5, 3)
