"""The table of heads, end to end: its numbers, sorting, filters, nulls and probe."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Request, expect

import explorer
from explorer.analysis import experiments
from tests.browser import eager
from tests.browser.driving_heads import Heads

SENTENCE = "The keys that the man number {} left lost are on the table."
TEXT = " ".join(SENTENCE.format(i) for i in range(8))
LONG = " ".join(SENTENCE.format(i) for i in range(30))

_ROWS = """() => {
  const rows = [];
  window.dash_ag_grid?.getApi('heads-table')?.forEachNodeAfterFilterAndSort(
    node => rows.push(node.data));
  return rows;
}"""
_VEIL = """() => (document.querySelector('#heads-overview .js-plotly-plot').layout.shapes ?? [])
  .map(shape => shape.path)"""


def rows(heads: Heads, column: str = "entropy", count: int = 72) -> list[dict[str, Any]]:
    """The rows that pass, in the grid's order, once there are so many and they have a column."""
    heads.wait_for(
        f"([name, count]) => {{ const rows = ({_ROWS})(); return rows.length === count"
        " && rows.every(row => name in row); }",
        [column, count],
    )
    found: list[dict[str, Any]] = heads.page.evaluate(_ROWS)
    return found


def places(found: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(row["layer"], row["head"]) for row in found]


def column(heads: Heads, name: str) -> np.ndarray:
    """A column as an array [L, H]; NaN where a head has no value."""
    found = rows(heads, name)
    values = np.full((6, 12), np.nan)
    for row in found:
        values[row["layer"], row["head"]] = np.nan if row[name] is None else row[name]
    return values


def entropy(attention: np.ndarray) -> np.ndarray:
    """Mean entropy of every head's rows [L, H], nats."""
    return -(attention * np.log(np.maximum(attention, 1e-30))).sum(axis=3).mean(axis=2)


def read(heads: Heads, text: str) -> eager.EagerRun:
    """Run a text, and what the eager model says of it."""
    expected = eager.run("minilm", text)
    heads.type(text)
    heads.run()
    heads.wait_until_told(text)
    # The table is of this text, and no more of the opening one.
    first = float(entropy(expected.attention[:1])[0, 0])
    heads.wait_for(f"first => Math.abs(({_ROWS})().find(row => row.id === '0.0').entropy - first) < 1e-4", first)
    return expected


def filter_greater(heads: Heads, name: str, bound: float) -> None:
    """Filter a column by hand, through its funnel."""
    page = heads.page
    page.locator(f".ag-header-cell[col-id='{name}'] .ag-header-cell-filter-button").click()
    panel = page.locator(".ag-filter")
    panel.locator(".ag-picker-field").first.click()
    page.get_by_role("option", name="Greater than", exact=True).click()
    panel.locator(".ag-filter-body input:visible").first.fill(str(bound))
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")


def test_sorted_rows_choose_their_head(heads: Heads) -> None:
    page, expected = heads.page, read(heads, TEXT)
    values = entropy(expected.attention)
    assert places(rows(heads)) == [(layer, head) for layer in range(6) for head in range(12)]
    np.testing.assert_allclose(column(heads, "entropy"), values, atol=1e-4)
    diagonal = np.diagonal(expected.attention, offset=-1, axis1=2, axis2=3)
    np.testing.assert_allclose(column(heads, "previous_token"), diagonal.mean(axis=2), atol=1e-5)

    header = page.locator(".ag-header-cell[col-id='entropy'] .ag-header-cell-label")
    for order, sign in (("descending", -1), ("ascending", 1)):
        header.click()
        expect(page.locator(".ag-header-cell[col-id='entropy']")).to_have_attribute("aria-sort", order)
        sorted_values = [row["entropy"] for row in rows(heads)]
        np.testing.assert_allclose(sorted_values, sign * np.sort(sign * values.ravel()), atol=1e-4)
    layer, head = (int(i) for i in np.unravel_index(values.argmin(), values.shape))
    first = page.locator(".ag-center-cols-container [row-index='0']")
    expect(first).to_have_attribute("row-id", f"{layer}.{head}")
    shown = first.locator("[col-id='entropy']")
    expect(shown).to_have_text(f"{values.min():.3f}")
    shown.click()
    heads.wait_for_choice(layer, head)
    # The saved table is by layer and head, whatever it is sorted by here.
    with page.expect_download() as download:
        page.click("#heads-table-csv")
    assert download.value.suggested_filename == "minilm-encoder-heads.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        saved = list(csv.DictReader(file))
    assert [(int(row["layer"]), int(row["head"])) for row in saved] == [
        (layer, head) for layer in range(6) for head in range(12)
    ]
    np.testing.assert_allclose([float(row["entropy"]) for row in saved], values.ravel(), atol=1e-4)


def test_a_filter_fades_the_other_heads(heads: Heads) -> None:
    page, expected = heads.page, read(heads, TEXT)
    values = entropy(expected.attention)
    ranked = np.sort(values.ravel())
    bound = round(float(ranked[-20] + ranked[-21]) / 2, 4)
    passing = {(int(layer), int(head)) for layer, head in np.argwhere(values > bound)}
    assert len(passing) == 20
    heads.show("distances")
    heads.wait_for("() => document.querySelectorAll('#heads-distances-graph .point').length === 73")
    fetched: list[Request] = []
    page.on("request", lambda request: fetched.append(request))

    filter_greater(heads, "entropy", bound)
    line = page.locator("#heads-filtered")
    expect(line).to_contain_text("20 of 72 heads pass the filter")
    assert set(places(rows(heads, count=20))) == passing
    heads.wait_for(f"() => ({_VEIL})().length === 1")
    faded = {
        (round(float(y)), round(float(x)))
        for x, y in (start.split("L")[0].split(",") for start in page.evaluate(_VEIL)[0].split("M")[1:])
    }
    # Each begins at a cell's upper left corner.
    assert len(faded) == 52
    assert passing.isdisjoint(faded)
    heads.wait_for(
        """wanted => { const [points] = document.querySelector(
        '#heads-distances-graph .js-plotly-plot')._fullData;
        return JSON.stringify(points.selectedpoints) === JSON.stringify(wanted); }""",
        sorted(12 * layer + head for layer, head in passing),
    )
    # Another head chosen: the frame moves, the veil stays.
    page.keyboard.press("ArrowDown")
    expect(page.locator("#heads-overview .chosen-head")).to_have_attribute("data-head", "1.0")
    assert len(page.evaluate(_VEIL)) == 1
    assert not [r for r in fetched if "heads-overview.figure" in (r.post_data or "")]
    # A picture drawn anew is faded again.
    page.click("#theme-toggle")
    heads.wait_for(
        "() => document.querySelector('#heads-overview .js-plotly-plot').layout.paper_bgcolor === '#14181e'"
    )
    heads.wait_for(f"() => ({_VEIL})().length === 1")
    assert heads.count_nodes() <= 5000

    line.get_by_role("button", name="Clear filters").click()
    expect(line).to_be_hidden()
    assert len(rows(heads)) == 72
    heads.wait_for(f"() => ({_VEIL})().length === 0")


def test_nulls_can_be_cancelled_and_made(heads: Heads) -> None:
    page = heads.page
    read(heads, LONG)
    page.click("#heads-shuffle")
    working = page.locator("#nulls-message .working")
    expect(working).to_contain_text("shuffling the tokens")
    working.get_by_role("button", name="Cancel").click()
    expect(page.locator("#nulls-message .error")).to_contain_text("Cancelled")
    assert "entropy_z" not in rows(heads)[0]

    expected = read(heads, TEXT)
    page.click("#heads-shuffle")
    found = column(heads, "previous_token_z")
    expect(page.locator("#nulls-message")).to_be_empty()
    minilm = explorer.load_model("minilm", device="cpu")
    null = experiments.null(minilm, TEXT, "previous_token")
    np.testing.assert_allclose(found, null.z, rtol=1e-3, atol=1e-3)

    n = len(expected.labels)
    sums = np.stack([np.trace(expected.attention, offset, axis1=2, axis2=3) for offset in range(1 - n, n)])
    best = sums.argmax(axis=0) - (n - 1)
    np.testing.assert_array_equal(column(heads, "offset"), best)
    np.testing.assert_allclose(column(heads, "offset_weight"), sums.max(axis=0) / (n - np.abs(best)), atol=1e-5)
    previous = best == -1
    assert previous.any()
    np.testing.assert_allclose(column(heads, "offset_weight")[previous], column(heads, "previous_token")[previous])
    # Another text has none of this yet.
    read(heads, "She ate an apple.")
    assert "offset" not in rows(heads)[0]


def test_induction_probe(heads: Heads) -> None:
    heads.page.click("#heads-probe")
    minilm = explorer.load_model("minilm", device="cpu")
    np.testing.assert_allclose(column(heads, "probe"), experiments.induction_probe(minilm), atol=1e-5)
    # It is the model's, whatever the text.
    read(heads, "She ate an apple.")
    np.testing.assert_allclose(column(heads, "probe"), experiments.induction_probe(minilm), atol=1e-5)


def test_help_says_what_scores_are_held_against(heads: Heads) -> None:
    heads.page.click("#measures-open")
    panel = heads.page.get_by_role("dialog")
    for said in (
        "Previous token",
        "on a causal stack",
        "z, against shuffled tokens",
        "Best offset",
        "section 4.2",
        "experiments.best_offset",
    ):
        expect(panel).to_contain_text(said)
