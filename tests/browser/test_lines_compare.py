"""The lines view and the comparison, end to end: what is drawn is what the eager model says."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_heads import Heads

TEXT = "She ate an apple while Apple announced a phone."
LONG = " ".join(["The keys that the man left lost are on the table."] * 40)

_SHAPES = """() => document.querySelector('#heads-lines-graph .js-plotly-plot').layout.shapes
  .map(shape => [shape.path, shape.line.color, shape.opacity])"""

_PART = "document.querySelector('#heads-heatmap .js-plotly-plot').layout"
_EXACT_PART = f"""() => {{
  const {{ part: [top, bottom, left, right], exact }} = {_PART}.meta;
  const plot = document.querySelector('#heads-heatmap .js-plotly-plot');
  return exact && {{ rows: [top + 0.5, bottom + 0.5], columns: [left + 0.5, right + 0.5],
    z: Array.from(plot._fullData.find(t => t.type === 'heatmap').z, row => Array.from(row)) }};
}}"""

_DIFFERENCE = """() => {
  const plot = document.querySelector('#heads-comparison-difference .js-plotly-plot');
  const cells = plot._fullData.find(trace => trace.type === 'heatmap');
  return {queries: plot._fullLayout.yaxis2.ticktext, keys: plot._fullLayout.xaxis2.ticktext,
          z: Array.from(cells.z, row => Array.from(row)), zmin: cells.zmin, zmax: cells.zmax};
}"""


def wait_for_lines(heads: Heads, title: str, labels: int) -> None:
    """Wait until the lines of that title are drawn, with so many tokens."""
    heads.wait_for(
        """([title, labels]) => { const plot = document.querySelector(
        '#heads-lines-graph .js-plotly-plot'); const layout = plot?._fullLayout;
        return layout?.title?.text?.endsWith(title) && plot.layout.meta?.groups
          && plot._fullData.find(t => t.type === 'heatmap').z.length === labels
          && document.querySelector('#heads-lines-graph .shapelayer path'); }""",
        [title, labels],
    )


def lines(heads: Heads, least_opacity: float = 0.2) -> list[tuple[str, int, int]]:
    """Colour, query and key of each line that is plainly seen."""
    found = []
    for path, colour, opacity in heads.page.evaluate(_SHAPES):
        if opacity >= least_opacity:
            for query, key in re.findall(r"M0,(-?[\d.]+)L1,(-?[\d.]+)", path):
                found.append((colour, round(float(query)), round(float(key))))
    return found


def strong(attention: np.ndarray, threshold: float) -> set[tuple[int, int]]:
    return {(int(q), int(k)) for q, k in np.argwhere(attention >= threshold)}


def test_lines_are_the_weights_of_the_chosen_heads(heads: Heads) -> None:
    page = heads.page
    expected = eager.run("minilm", TEXT)
    heads.click_head(2, 3)
    heads.wait_for_choice(2, 3)
    heads.show("lines")
    wait_for_lines(heads, "layer 2 · head 3", len(expected.labels))
    page.click("#heads-lines-heads")
    page.get_by_role("option", name="5", exact=True).click()
    page.keyboard.press("Escape")
    wait_for_lines(heads, "layer 2 · heads 3 and 5", len(expected.labels))
    page.fill("#heads-lines-threshold", "0.2")
    expect(page.locator("#heads-lines-caption")).to_contain_text("weights of at least 0.2")
    drawn = lines(heads)
    colours = list(dict.fromkeys(colour for colour, _, _ in drawn))
    by_colour = [{(q, k) for c, q, k in drawn if c == colour} for colour in colours]
    wanted = [strong(expected.attention[2, head], 0.2) for head in (3, 5)]
    assert sorted(map(sorted, by_colour)) == sorted(map(sorted, wanted))
    assert len(drawn) == sum(map(len, wanted))
    # Another head chosen in the picture of all: the lines follow.
    heads.click_head(4, 7)
    wait_for_lines(heads, "layer 4 · heads 7 and 5", len(expected.labels))


def test_a_hovered_tokens_lines_stay_and_come_back(heads: Heads) -> None:
    expected = eager.run("minilm", TEXT)
    heads.click_head(2, 3)
    heads.wait_for_choice(2, 3)
    heads.show("lines")
    wait_for_lines(heads, "layer 2 · head 3", len(expected.labels))
    attention = expected.attention[2, 3]
    everything = sorted(lines(heads))
    assert {(q, k) for _, q, k in everything} == strong(attention, 0.05)
    said = heads.hover("heads-lines-graph", -0.1, 7, "^query announced")
    best = int(attention[7].argmax())
    assert f"{expected.labels[best]} {attention[7, best]:.3f}" in said
    heads.wait_for(f"() => ({_SHAPES})().some(([, , opacity]) => opacity < 0.1)")
    assert {(q, k) for _, q, k in lines(heads)} == {(q, k) for q, k in strong(attention, 0.05) if q == 7}
    heads.hover("heads-lines-graph", 1.1, 0, r"^key \[CLS\]")
    heads.wait_for(f"() => ({_SHAPES})().filter(s => s[2] > 0.2).every(s => !s[0].includes('L1,5'))")
    assert {k for _, _, k in lines(heads)} == {0}
    heads.page.mouse.move(0, 0)
    heads.wait_for(f"() => ({_SHAPES})().every(([, , opacity]) => opacity >= 0.2)")
    assert sorted(lines(heads)) == everything


@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_five_hundred_tokens_in_every_view(heads: Heads, model: str) -> None:
    page = heads.page
    expected = eager.run(model, LONG)
    count = len(expected.labels)
    assert 450 < count <= 512
    heads.type(LONG)
    heads.choose_model(model)
    heads.run()
    heads.wait_for_map(keys=expected.labels, timeout_ms=FIRST_LOAD_MS)
    assert_zoom_fetches_the_numbers(heads, expected.attention[0, 0])
    heads.show("lines")
    wait_for_lines(heads, "layer 0 · head 0", count)
    page.fill("#heads-lines-threshold", "0")
    page.fill("#heads-lines-count", "2000")
    expect(page.locator("#heads-lines-caption")).to_contain_text("2,000 strongest")
    drawn = lines(heads)
    attention = expected.attention[0, 0]
    least = np.sort(attention.ravel())[-2000]
    assert len(drawn) == 2000
    assert all(attention[q, k] >= least - 1e-6 for _, q, k in drawn)
    assert heads.count_nodes() <= 5000
    boxes = page.evaluate("""() => Array.from(document.querySelectorAll(
      '#heads-lines-graph .textpoint tspan.line'), line => {
        const box = line.getBoundingClientRect(); return [box.right < 900, box.top]; })""")
    tops = np.sort([top for left, top in boxes if left])
    assert len(tops) >= count
    assert np.diff(tops).min() > 11  # the labels' font is 11 pixels high
    heads.show("compare")
    heads.wait_for(
        """count => document.querySelector('#heads-comparison-difference .js-plotly-plot')
        ?._fullData?.find(t => t.type === 'heatmap')?.z.length === count""",
        count,
    )
    found = page.evaluate(_DIFFERENCE)
    difference = expected.attention[0, 1] - expected.attention[0, 0]
    np.testing.assert_allclose(
        np.nan_to_num(np.array(found["z"], dtype=float)), difference, atol=np.abs(difference).max() / 125
    )
    assert heads.count_nodes() <= 5000
    heads.show("distances")
    n_heads = expected.attention.shape[0] * expected.attention.shape[1]
    # All heads, and the ring around the chosen one.
    expect(page.locator("#heads-distances-graph .scatterlayer .point")).to_have_count(
        n_heads + 1, timeout=FIRST_LOAD_MS
    )
    assert heads.count_nodes() <= 5000


def assert_zoom_fetches_the_numbers(heads: Heads, attention: np.ndarray) -> None:
    """A dragged frame asks for that part's own weights; a double click for the whole again."""
    mouse, (first, end) = heads.page.mouse, (200, 270)
    mouse.move(*heads.place("heads-heatmap", first - 0.3, first - 0.3))
    mouse.down()
    mouse.move(*heads.place("heads-heatmap", end - 0.7, end - 0.7), steps=5)
    mouse.up()
    part = heads.page.wait_for_function(_EXACT_PART, polling=100).json_value()
    (top, bottom), (left, right) = (list(map(int, part[side])) for side in ("rows", "columns"))
    # A screen's dot is more than a cell here, so an edge may be one off.
    assert np.allclose([top, left], first, atol=2)
    assert np.allclose([bottom, right], end, atol=2)
    shown = np.nan_to_num(np.array(part["z"], dtype=float))
    np.testing.assert_allclose(shown, attention[top:bottom, left:right], atol=1e-6)
    mouse.dblclick(*heads.place("heads-heatmap", (left + right) / 2, (top + bottom) / 2))
    heads.wait_for_map()
    heads.wait_for(f"count => {_PART}.meta.part[1] === count - 0.5", len(attention))


def compared(heads: Heads, caption: str) -> dict[str, Any]:
    """The difference map, once the caption says what it is of."""
    expect(heads.page.locator("#heads-comparison-caption")).to_contain_text(caption, timeout=FIRST_LOAD_MS)
    heads.wait_for(f"() => {{ try {{ return ({_DIFFERENCE})(); }} catch {{ return false; }} }}")
    found: dict[str, Any] = heads.page.evaluate(_DIFFERENCE)
    for side in ("queries", "keys"):
        found[side] = [html.unescape(label) for label in found[side]]
    found["z"] = np.array([[np.nan if v is None else v for v in row] for row in found["z"]], dtype=float)
    return found


def test_two_heads_and_their_difference(heads: Heads) -> None:
    page = heads.page
    expected = eager.run("minilm", TEXT)
    heads.show("compare")
    found = compared(heads, "Second: minilm, layer 0, head 1")  # opens on the next head
    np.testing.assert_allclose(found["z"], expected.attention[0, 1] - expected.attention[0, 0], atol=1e-5)
    page.fill("#heads-comparison-other-layer", "4")
    page.fill("#heads-comparison-other-head", "7")
    found = compared(heads, "Second: minilm, layer 4, head 7")
    difference = expected.attention[4, 7] - expected.attention[0, 0]
    np.testing.assert_allclose(found["z"], difference, atol=1e-5)
    assert found["keys"] == expected.labels
    assert found["zmin"] == -found["zmax"]
    page.fill("#heads-comparison-other-layer", "40")
    expect(page.locator("#heads-comparison-message .error")).to_contain_text(
        "Layer 40 is out of range: minilm has layers 0 to 5."
    )


def test_another_text_is_aligned_by_word(heads: Heads) -> None:
    page = heads.page
    heads.show("compare")
    compared(heads, "head 1")
    page.fill("#heads-comparison-other-text", "She ate a pear while Apple announced a new phone.")
    page.keyboard.press("Enter")
    found = compared(heads, "2 words of the first text have no partner: an, apple.")
    words = [
        "[CLS]",
        "She",
        "ate",
        "an",
        "apple",
        "a·1",
        "pear",
        "while",
        "Apple",
        "announced",
        "a·2",
        "new",
        "phone",
        ".",
        "[SEP]",
    ]
    assert found["queries"] == found["keys"] == words
    alone = np.isin(words, ["an", "apple", "a·1", "pear", "new"])
    np.testing.assert_array_equal(np.isnan(found["z"]), alone[:, None] | alone[None])
    first = eager.run("minilm", TEXT).attention[0, 0]
    second = eager.run("minilm", "She ate a pear while Apple announced a new phone.")
    rows = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    others = [0, 1, 2, 5, 6, 7, 8, 10, 11, 12]
    wanted = second.attention[0, 0][np.ix_(others, others)] - first[np.ix_(rows, rows)]
    np.testing.assert_allclose(found["z"][np.ix_(~alone, ~alone)], wanted, atol=1e-5)
    page.fill("#heads-comparison-other-text", "Nothing alike here")
    page.keyboard.press("Enter")
    expect(page.locator("#heads-comparison-caption")).to_contain_text("no word in common")
    expect(page.locator("#heads-comparison-difference")).to_contain_text("no difference map")


def test_a_causal_model_beside_a_bidirectional_one(heads: Heads) -> None:
    page = heads.page
    heads.show("compare")
    compared(heads, "head 1")
    page.fill("#heads-comparison-other-model", "smollm2")
    page.keyboard.press("Enter")
    found = compared(heads, "Second: smollm2, layer 0, head 0")
    words = ["[CLS]", "She", "ate", "an", "apple", "while", "Apple", "announced", "a", "phone", ".", "[SEP]"]
    assert found["queries"] == words
    inner = found["z"][1:-1, 1:-1]
    np.testing.assert_array_equal(np.isnan(inner), np.triu(np.ones(inner.shape, bool), 1))
    assert np.isnan(found["z"][[0, -1]]).all()
    expect(page.locator("#heads-comparison-caption")).to_contain_text(
        "45 cells that only the second’s causal mask forbids"
    )
    one, other = (eager.run(name, TEXT).attention[0, 0] for name in ("minilm", "smollm2"))
    seen = ~np.isnan(inner)
    np.testing.assert_allclose(inner[seen], (other - one[1:-1, 1:-1])[seen], atol=1e-5)
