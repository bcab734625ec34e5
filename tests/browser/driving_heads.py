"""What a person does on the Heads page, and what can be read off it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import expect

from tests.browser.driving import App

_DRAWN = """id => {
  const plot = document.querySelector(`#${id} .js-plotly-plot`);
  const layout = plot._fullLayout;
  const cells = plot._fullData.find(trace => trace.type === 'heatmap');
  const hatch = plot._fullData.find(trace => trace.fillpattern?.shape);
  return {
    title: layout.title.text,
    keys: layout.xaxis2.ticktext, queries: layout.yaxis2.ticktext,
    weights: Array.from(cells.z, row => Array.from(row)),
    hatch: hatch ? [Array.from(hatch.x), Array.from(hatch.y)] : [[], []],
    paper: layout.paper_bgcolor,
  };
}"""

_IS_DRAWN = """([layer, head, keys]) => {
  const plot = document.querySelector('#heads-heatmap .js-plotly-plot');
  const layout = plot?._fullLayout;
  return plot?._fullData?.some(trace => trace.type === 'heatmap')
    && (layer === null || layout.title.text.includes(`layer ${layer} · head ${head}`))
    && (keys === null || JSON.stringify(layout.xaxis2.ticktext) === JSON.stringify(keys));
}"""


@dataclass(frozen=True)
class DrawnMap:
    """The large heatmap as it is on the screen; ``weights`` [Q, K] has NaN for no data."""

    layer: int
    head: int
    title: str
    queries: list[str]
    keys: list[str]
    weights: np.ndarray
    hatched: np.ndarray
    paper: str


class Heads(App):
    """The Heads page."""

    def wait_until_drawn(self, timeout_ms: float = 20_000) -> None:
        self.wait_for_map(timeout_ms=timeout_ms)

    def wait_for_map(
        self,
        layer: int | None = None,
        head: int | None = None,
        keys: list[str] | None = None,
        timeout_ms: float = 20_000,
    ) -> None:
        """Wait until the large map shows that head, and those keys."""
        escaped = None if keys is None else [html.escape(key, quote=False) for key in keys]
        self.wait_for(_IS_DRAWN, [layer, head, escaped], timeout_ms)
        self.wait_for("() => document.querySelector('#heads-overview .imagelayer image')")

    def type(self, text: str, pair: str | None = None) -> None:
        """Fill in the text, and the second one where it is given."""
        self.page.fill("#text-input", text)
        if pair is not None:
            if not self.page.is_visible("#pair-input"):
                self.page.click("#pair-toggle")
            self.page.fill("#pair-input", pair)

    def wait_until_told(self, text: str) -> None:
        """Wait until the address tells the text, or the name of a state too long for one."""
        self.wait_for(
            """text => { const given = new URLSearchParams(location.search);
            return given.get('text') === text || (text.length > 1500 && given.has('saved')); }""",
            text,
        )

    def show(self, mode: str) -> None:
        """Change to another view: map, lines, compare, distances."""
        self.page.locator("#heads-mode").get_by_text(mode, exact=True).click()

    def drawn(self) -> DrawnMap:
        """The large map on the screen."""
        found = self.page.evaluate(_DRAWN, "heads-heatmap")
        place = re.search(r"layer (\d+) · head (\d+)", found["title"])
        assert place, found["title"]
        weights = np.array(found["weights"], dtype=np.float64)
        return DrawnMap(
            int(place[1]),
            int(place[2]),
            found["title"],
            [html.unescape(label) for label in found["queries"]],
            [html.unescape(label) for label in found["keys"]],
            weights,
            _hatched_cells(*found["hatch"], weights.shape),
            found["paper"],
        )

    def click_head(self, layer: int, head: int) -> None:
        """Click one head in the picture of all, as a person does: point first."""
        self.hover("heads-overview", head, layer, rf"^layer {layer} · head {head}(\n|$)")
        self.page.mouse.down()
        self.page.mouse.up()

    def hover_cell(self, query: int, key: int, labels: list[str]) -> float:
        """Point at a cell until the hover names this query and key; the weight it tells."""
        names = [re.escape(labels[place]) for place in (query, key)]
        pattern = r"^query\s+{}\nkey\s+{}\nweight ([\d.]+)$".format(*names)
        weight = re.search(pattern, self.hover("heads-heatmap", key, query, pattern))
        assert weight
        return float(weight[1])

    def selectors(self) -> tuple[str, str]:
        return self.page.input_value("#heads-layer"), self.page.input_value("#heads-head")

    def frame(self) -> tuple[float, float]:
        """Layer and head of the frame in the picture of all heads."""
        box = self.page.locator("#heads-overview .chosen-head").bounding_box()
        grid = self.page.locator("#heads-overview .nsewdrag").bounding_box()
        assert box and grid
        layers, heads = self.page.evaluate(
            "document.querySelector('#heads-overview .js-plotly-plot').layout.meta.shape"
        )
        row = (box["y"] + box["height"] / 2 - grid["y"]) / grid["height"] * layers - 0.5
        column = (box["x"] + box["width"] / 2 - grid["x"]) / grid["width"] * heads - 0.5
        return round(row, 1), round(column, 1)

    def wait_for_choice(self, layer: int, head: int) -> None:
        """Wait until map, selectors and frame all agree on a head."""
        self.wait_for_map(layer, head)
        expect(self.page.locator("#heads-layer")).to_have_value(str(layer))
        expect(self.page.locator("#heads-head")).to_have_value(str(head))
        expect(self.page.locator("#heads-overview .chosen-head")).to_have_attribute("data-head", f"{layer}.{head}")


def _hatched_cells(xs: list[float | None], ys: list[float | None], shape: tuple[int, ...]) -> np.ndarray:
    """Which cells the hatch covers [Q, K], from its rectangles."""
    covered = np.zeros(shape, dtype=bool)
    corners: list[tuple[float, float]] = []
    for x, y in [*zip(xs, ys, strict=True), (None, None)]:
        if x is not None and y is not None:
            corners.append((x, y))
        elif corners:
            across, down = np.array(corners).T
            assert np.allclose((across % 1, down % 1), 0.5), "the hatch ends inside a cell"
            left, right, top, bottom = (
                int(edge + 0.5) for edge in (across.min(), across.max(), down.min(), down.max())
            )
            assert not covered[top:bottom, left:right].any(), "a cell is hatched twice"
            covered[top:bottom, left:right] = True
            corners = []
    return covered
