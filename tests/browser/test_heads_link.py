"""A link to the Heads page opens every view as it was sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser import eager
from tests.browser.driving_heads import Heads

TEXT = "The keys that the man left lost are on the table."
PAIR = "Who lost them?"
SEVERAL = {"aggregate": "max", "heads": "1.8,2.0", "norm": "true"}
READ = {"layer": "3", "head": "5", "words": "true", "log": "true", "palette": "cividis"}
BESIDE = {
    "show": "entropy",
    "query": "2",
    "key": "5",
    "nulls": "true",
    "probe": "true",
    "sort": "entropy:asc",
    "filter": "entropy:greaterThan:0.5;head:lessThan:9:and:greaterThan:1",
}
VIEWS: dict[str, dict[str, str]] = {
    "heatmap": {"window": "2-6,1-5", "special": "false", "part": "A→A", **SEVERAL},
    "lines": {"other_heads": "1,7", "threshold": "0.125", "count": "17"},
    "comparison": {"other_model": "minilm", "other_text": "The man.", "other_layer": "4", "other_head": "11"},
    "distances": {"colour": "previous_token"},
}
FIELDS = {
    "layer": "heads-layer",
    "head": "heads-head",
    "threshold": "heads-lines-threshold",
    "count": "heads-lines-count",
    "other_model": "heads-comparison-other-model",
    "other_text": "heads-comparison-other-text",
    "other_layer": "heads-comparison-other-layer",
    "other_head": "heads-comparison-other-head",
    "palette": "heads-palette",
}
GRAPHS = {
    "heatmap": "heads-heatmap",
    "lines": "heads-lines-graph",
    "comparison": "heads-comparison-difference",
    "distances": "heads-distances-graph",
}
_SORTED = """() => {
  const rows = [];
  window.dash_ag_grid?.getApi('heads-table')?.forEachNodeAfterFilterAndSort(
    node => rows.push(node.data));
  return rows;
}"""


def open_link(page: Page, view: str, **told: str) -> Heads:
    """Open a link to a view, and wait until it is drawn."""
    mode = {} if view == "heatmap" else {"mode": view}
    page.goto(f"/?{urlencode({'text': TEXT, 'pair': PAIR, **mode, **told})}")
    heads = Heads(page)
    heads.wait_for(
        "id => document.querySelector(`#${id} .js-plotly-plot`)?._fullData?.length > 0", GRAPHS[view], 60_000
    )
    return heads


@pytest.mark.parametrize("view", VIEWS)
def test_every_setting_of_a_view(page: Page, view: str) -> None:
    told = {**READ, **VIEWS[view]}
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    heads = open_link(page, view, **told)
    heads.wait_for_address(text=TEXT, pair=PAIR, **told)
    for setting, field in FIELDS.items():
        if setting in told:
            expect(page.locator(f"#{field}")).to_have_value(told[setting])
    for setting in ("words", "log"):
        expect(page.locator(f"#heads-{setting}")).to_be_checked()
    given = {**heads.address()}
    given.pop("theme", None)
    expected = {"text": TEXT, "pair": PAIR, **told}
    assert given == expected if view == "heatmap" else given == {**expected, "mode": view}
    expect(page.locator(f"#heads-{view}-part")).to_be_visible()
    expect(page.locator("#link-message .remark")).to_have_count(0)
    assert sum("heads-heatmap.figure" in (one.post_data or "") for one in asked) == 1


def test_what_is_beside_the_views(page: Page) -> None:
    heads = open_link(page, "heatmap", **BESIDE)
    heads.wait_for(f"() => ({_SORTED})().some(row => 'probe' in row && 'entropy_z' in row)", timeout_ms=60_000)
    heads.wait_for_address(**BESIDE)
    rows: list[dict[str, Any]] = page.evaluate(_SORTED)
    expected = eager.run("minilm", TEXT, PAIR).attention.astype(float)
    entropy = -(expected * np.log(np.maximum(expected, 1e-30))).sum(axis=3).mean(axis=2)
    passing = {(layer, head) for layer, head in np.argwhere(entropy > 0.5) if 1 < head < 9}
    assert {(row["layer"], row["head"]) for row in rows} == passing
    values = [row["entropy"] for row in rows]
    np.testing.assert_allclose(values, np.sort([entropy[place] for place in passing]), atol=1e-4)
    linked = [expected[row["layer"], row["head"], 2, 5] for row in rows]
    np.testing.assert_allclose([row["link"] for row in rows], linked, atol=1e-4)
    expect(page.locator("#heads-filtered-count")).to_contain_text(f"{len(passing)} of 72 heads")
    cells = """() => document.querySelector('#heads-overview .js-plotly-plot')._fullData[0]"""
    heads.wait_for(f"() => ({cells})().colorbar?.title?.text === 'nats'")
    # Another text has none of what takes long, and the address says so.
    heads.type("She ate an apple.", pair="")
    heads.run()
    heads.wait_for("() => !new URLSearchParams(location.search).has('nulls')")
    assert heads.address()["probe"] == "true"


def test_a_zoom_is_told_and_ends(page: Page) -> None:
    heads = open_link(page, "heatmap", window="2-6,1-5")
    part = """() => document.querySelector('#heads-heatmap .js-plotly-plot').layout.meta.part"""
    heads.wait_for(f"() => JSON.stringify(({part})()) === '[1.5,5.5,0.5,4.5]'")
    expected = eager.run("minilm", TEXT, PAIR).attention[0, 0]
    np.testing.assert_allclose(heads.drawn().weights, expected[2:6, 1:5], atol=1e-5)
    heads.wait_for_address(window="2-6,1-5")
    page.locator("#heads-words").click(force=True)
    heads.wait_for("() => !new URLSearchParams(location.search).has('window')")
    heads.wait_for(f"() => ({part})()[0] === -0.5")


def test_a_stack_that_the_model_does_not_have_is_told(page: Page) -> None:
    heads = open_link(page, "heatmap", stack="cross")
    note = page.locator("#heads-stack-note")
    expect(note).to_have_text("minilm has no stack “cross”: encoder is shown")
    heads.wait_for("() => !new URLSearchParams(location.search).has('stack')")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"window": "2-2,1-5"}, "2-2,1-5 is not a part of a map"),
        ({"palette": "rainbow"}, "palette=rainbow is not a choice"),
    ],
)
def test_nonsense_in_a_link_is_told(page: Page, told: dict[str, str], says: str) -> None:
    page.goto(f"/?{urlencode(told)}")
    error = page.locator("#heads-caption .error")
    expect(error).to_contain_text(says, ignore_case=True, timeout=60_000)


@pytest.mark.parametrize(
    "told",
    [{"sort": "beauty:desc"}, {"sort": "entropy:up"}, {"filter": "entropy:above:1"}, {"filter": "entropy:inRange:1"}],
)
def test_what_the_table_cannot_do_is_told(page: Page, told: dict[str, str]) -> None:
    heads = open_link(page, "heatmap", **told)
    (setting,) = told
    expect(page.locator("#link-message")).to_contain_text(
        f"The address says {setting}={told[setting]}", timeout=60_000
    )
    heads.wait_for("name => !new URLSearchParams(location.search).has(name)", setting)
    assert len(page.evaluate(_SORTED)) == 72
