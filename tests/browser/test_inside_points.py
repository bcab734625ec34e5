"""Queries and keys as points, and weight matrices as linear maps, on the Inside page in a browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import FIRST_LOAD_MS

_LONG = " ".join(f"the apple {i} fell from a tree" for i in range(70))
_POINTS, _MOVES = "inside-points-graph", "inside-matrices-graph"


def drawn(page: Page, graph: str, address: str) -> None:
    """Go there, and wait for the picture."""
    page.goto(f"/inside?{address}")
    page.locator(f"#{graph} .scatterlayer .trace").first.wait_for(timeout=FIRST_LOAD_MS)


def of_plot(page: Page, graph: str, what: str) -> Any:
    """An expression of the plot ``g``."""
    return page.evaluate(
        f"id => {{ const g = document.querySelector(`#${{id}} .js-plotly-plot`); return {what}; }}", graph
    )


def test_a_clicked_query_is_chosen(page: Page) -> None:
    drawn(page, _POINTS, "mode=points&layer=3&head=5&query=5")
    (x, y) = of_plot(
        page,
        _POINTS,
        """(() => {
          const at = g.calcdata[g.data.findIndex(({ name }) => name === "queries")][1];
          const { left, top } = g.getBoundingClientRect();
          const { xaxis, yaxis } = g._fullLayout;
          return [left + xaxis._offset + xaxis.c2p(at.x), top + yaxis._offset + yaxis.c2p(at.y)];
        })()""",
    )
    page.mouse.click(x, y)
    expect(page.locator("#inside-query")).to_have_value("she")
    page.wait_for_function("() => document.querySelector('#inside-points-graph .legend').textContent.includes('she')")


def test_the_slider_brings_the_move_back(page: Page) -> None:
    drawn(page, _MOVES, "mode=matrices&layer=3&head=5")
    ends = of_plot(page, _MOVES, "g.layout.meta")
    (tokens,) = (
        one
        for one in ends["moved"]
        if one["trace"] == of_plot(page, _MOVES, "g.data.findLastIndex(t => t.name === 'tokens')")
    )
    slider = page.locator("#inside-matrices-share [role=slider]")
    x = f"Array.from(g.data[{tokens['trace']}].x)"
    slider.press("Home")
    expect(page.locator("#inside-matrices-told")).to_have_text("before, on the right too")
    assert of_plot(page, _MOVES, x) == tokens["from"][0]
    assert of_plot(page, _MOVES, "g.layout.xaxis2.title.text").startswith("before: ")
    slider.press("ArrowRight")
    expect(page.locator("#inside-matrices-told")).to_have_text("between: nothing the model does")
    pairs = zip(tokens["from"][0], tokens["to"][0], strict=True)
    assert of_plot(page, _MOVES, x) == pytest.approx([a + 0.01 * (b - a) for a, b in pairs])
    slider.press("End")
    expect(page.locator("#inside-matrices-told")).to_have_text("")
    assert of_plot(page, _MOVES, x) == pytest.approx(tokens["to"][0])


@pytest.mark.parametrize(("mode", "graph"), [("points", _POINTS), ("matrices", _MOVES)])
def test_a_long_text_stays_within_the_pages_nodes(mode: str, graph: str, page: Page) -> None:
    drawn(page, graph, f"mode={mode}&layer=3&head=5&text={_LONG.replace(' ', '+')}")
    assert page.evaluate("document.querySelectorAll('*').length") < 5000
    page.locator("#inside-mode").get_by_text("step by step", exact=True).click()
    expect(page.locator(f"#{graph} .scatterlayer .trace")).to_have_count(0)
