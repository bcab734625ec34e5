"""What a person does on the pages, and what can be read off them.

Every wait is for something that can be seen. Drawn numbers are those plotly holds after
drawing (``_fullData``), never those of a request on its way.
"""

from __future__ import annotations

import html
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, expect

_T = TypeVar("_T", bound="App")

# The first use of smollm2 on a machine converts its weights.
FIRST_LOAD_MS = 180_000

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

_PLACE = """([id, column, row]) => {
  const plot = document.querySelector(`#${id} .js-plotly-plot`);
  const {xaxis, yaxis} = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.l2p(column), box.top + yaxis._offset + yaxis.l2p(row)];
}"""

_HOVER = """id => Array.from(
  document.querySelectorAll(`#${id} .hoverlayer .hovertext`),
  label => Array.from(label.querySelectorAll('text'), text => {
    const lines = Array.from(text.querySelectorAll('tspan.line'), line => line.textContent);
    return lines.length ? lines.join('\\n') : text.textContent;
  }).filter(Boolean).join('\\n'),
).join('\\n')"""


@dataclass(frozen=True)
class Server:
    """The app under test: its address, and all it has printed."""

    url: str
    log: list[str]


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


@dataclass(frozen=True)
class DrawnPoints:
    """One trace of the embeddings plot."""

    name: str
    points: np.ndarray
    numbers: list[str]
    colour: str
    symbol: str


class App(ABC):
    """What all pages have in common."""

    path = "/"
    name = "heads"
    graph = "heads-heatmap"
    saved_size = ""  # as the menu told it

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self: _T, timeout_ms: float = 20_000, **state: Any) -> _T:
        """Open the page's address and wait for its first result."""
        self.page.goto(self.path + (f"?{urlencode(state)}" if state else ""))
        self.wait_until_drawn(timeout_ms)
        return self

    @abstractmethod
    def wait_until_drawn(self, timeout_ms: float = 20_000) -> None:
        """Wait for the page's first result."""

    def wait_for(self, condition: str, argument: Any = None, timeout_ms: float = 20_000) -> None:
        """Wait for a condition in the page, a JavaScript function of one argument."""
        self.page.wait_for_function(condition, arg=argument, timeout=timeout_ms)

    def choose_model(self, name: str) -> None:
        field = self.page.locator("#model-select")
        field.fill(name)
        field.press("Enter")

    def run(self) -> None:
        self.page.click("#run-button")

    @property
    def error(self) -> Locator:
        return self.page.locator(f"#{self.name}-message .error")

    def expect_error(self, *tells: str) -> None:
        """Wait for one line, such as a person can read, that tells all this."""
        for part in tells:
            expect(self.error).to_contain_text(part, ignore_case=True, timeout=20_000)
        said = self.error.inner_text()
        assert "Traceback" not in said
        assert "\n" not in said
        assert len(said) < 400

    def address(self) -> dict[str, str]:
        """The query parameters of the address."""
        return dict(parse_qsl(urlsplit(self.page.url).query))

    def wait_for_address(self, **state: str) -> None:
        """Wait until the address has these parameters."""
        self.wait_for(
            """state => { const given = new URLSearchParams(location.search);
            return Object.entries(state).every(([name, value]) => given.get(name) === value); }""",
            state,
        )

    def place(self, graph: str, column: float, row: float) -> tuple[float, float]:
        """Where a graph's data coordinates are in the window."""
        x, y = self.page.evaluate(_PLACE, [graph, column, row])
        return x, y

    def hover(self, graph: str, column: float, row: float, says: str) -> str:
        """Rest the mouse on a point until the hover label says something; the whole label."""
        wanted = re.compile(says)
        for _ in range(40):
            x, y = self.place(graph, column, row)
            # Plotly looks at most every 50 ms, so a single move can be overlooked.
            self.page.mouse.move(x - 2, y - 2)
            self.page.mouse.move(x, y)
            try:
                self.wait_for(
                    f"([id, says]) => new RegExp(says).test(({_HOVER})(id))", [graph, says], 500
                )
            except Exception as error:
                if "Timeout" not in type(error).__name__:
                    raise
                continue
            label: str = self.page.evaluate(_HOVER, graph)
            if wanted.search(label):
                return label
        raise AssertionError(
            f"the hover label says {self.page.evaluate(_HOVER, graph)!r}, not {says!r}"
        )

    def open_menu(self) -> None:
        """Open the menu to save from, and wait for its preview."""
        self.page.click("#save-button")
        expect(self.page.locator("#save-size")).to_contain_text("dots", timeout=20_000)

    def save(self, kind: str, folder: Path) -> Path:
        """Save from the menu, once its preview is drawn; the file under the name it gives."""
        self.open_menu()
        self.saved_size = self.page.inner_text("#save-size")
        with self.page.expect_download() as download:
            self.page.click(f"#save-{kind}")
        self.page.keyboard.press("Escape")
        expect(self.page.locator("#save-size")).to_be_hidden()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        assert path.suffix == f".{kind}"
        return path

    def count_nodes(self) -> int:
        count: int = self.page.evaluate("document.getElementsByTagName('*').length")
        return count

    def assert_nothing_was_run(self) -> None:
        """No markup that was typed became part of the page."""
        assert self.page.evaluate("typeof window.hacked") == "undefined"
        assert self.page.locator("img[src='x']").count() == 0


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
            int(place[1]), int(place[2]), found["title"],
            [html.unescape(label) for label in found["queries"]],
            [html.unescape(label) for label in found["keys"]],
            weights, _hatched_cells(*found["hatch"], weights.shape), found["paper"],
        )  # fmt: skip

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
        shape = self.page.evaluate(
            "document.querySelector('#heads-overview .js-plotly-plot').layout.shapes[0]"
        )
        return shape["y0"] + 0.5, shape["x0"] + 0.5

    def wait_for_choice(self, layer: int, head: int) -> None:
        """Wait until map, selectors and frame all agree on a head."""
        self.wait_for_map(layer, head)
        expect(self.page.locator("#heads-layer")).to_have_value(str(layer))
        expect(self.page.locator("#heads-head")).to_have_value(str(head))
        self.wait_for(
            """([layer, head]) => { const [frame] = document.querySelector(
            '#heads-overview .js-plotly-plot').layout.shapes;
            return frame.y0 + 0.5 === layer && frame.x0 + 0.5 === head; }""",
            [layer, head],
        )


def _hatched_cells(
    xs: list[float | None], ys: list[float | None], shape: tuple[int, ...]
) -> np.ndarray:
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


_SHOWN = "trace.mode.startsWith('markers') && /^(sense|static)/.test(trace.legendgroup)"

_POINTS = f"""() => document.querySelector(
  '#embeddings-plot .js-plotly-plot')._fullData.filter(trace => {_SHOWN}).map(trace => ({{
  name: trace.name, x: Array.from(trace.x), y: Array.from(trace.y), text: Array.from(trace.text),
  colour: trace.marker.color, symbol: trace.marker.symbol,
}}))"""


class Embeddings(App):
    """The Embeddings page."""

    path = "/embeddings"
    name = "embeddings"
    graph = "embeddings-plot"

    def wait_until_drawn(self, timeout_ms: float = 20_000) -> None:
        self.wait_for_plot(timeout_ms=timeout_ms)

    def wait_for_plot(
        self,
        word: str | None = None,
        layer: int | None = None,
        model: str | None = None,
        timeout_ms: float = 20_000,
    ) -> None:
        """Wait until the plot shows that word, layer and model."""
        parts = [] if word is None else [f"“{html.escape(word, quote=False)}”"]
        parts += [] if layer is None else [f"layer {layer}$"]
        parts += [] if model is None else [f"in {model} "]
        self.wait_for(
            """parts => { const plot = document.querySelector('#embeddings-plot .js-plotly-plot');
            const title = plot?._fullLayout?.title?.text;
            return title && plot._fullData.length && parts.every(part => part.endsWith('$')
              ? title.endsWith(part.slice(0, -1)) : title.includes(part)); }""",
            parts,
            timeout_ms,
        )

    def wait_for_points(self, count: int, timeout_ms: float = 20_000) -> None:
        """Wait until the first sense has so many points."""
        self.wait_for(
            f"""count => document.querySelector('#embeddings-plot .js-plotly-plot')
            ._fullData.find(trace => {_SHOWN}).x.length === count""",
            count,
            timeout_ms,
        )

    def type(self, word: str, *lines: str) -> None:
        """Fill in the word, and the sentences where they are given."""
        self.page.fill("#embeddings-word", word)
        if lines:
            self.page.fill("#embeddings-sentences", "\n".join(lines))

    def slide(self, key: str) -> None:
        """Press a key on the layer slider."""
        self.page.locator("#embeddings-layer [role=slider]").press(key)

    def traces(self) -> list[DrawnPoints]:
        """What is drawn, senses first, the static vector last."""
        return [
            DrawnPoints(
                html.unescape(trace["name"]), np.array([trace["x"], trace["y"]]).T,
                trace["text"], trace["colour"], trace["symbol"],
            )
            for trace in self.page.evaluate(_POINTS)
        ]  # fmt: skip

    def points(self) -> np.ndarray:
        """Contextual points [n, 2] in the order of the sentences' numbers."""
        *senses, _ = self.traces()
        numbers = [int(number) for trace in senses for number in trace.numbers]
        assert len(set(numbers)) == len(numbers)
        return np.concatenate([trace.points for trace in senses])[np.argsort(numbers)]

    def title(self) -> str:
        title: str = self.page.evaluate(
            "document.querySelector('#embeddings-plot .js-plotly-plot')._fullLayout.title.text"
        )
        return html.unescape(title)

    def axis_titles(self) -> list[str]:
        found: list[str] = self.page.evaluate(
            """['xaxis', 'yaxis'].map(axis => document.querySelector(
            '#embeddings-plot .js-plotly-plot')._fullLayout[axis].title.text)"""
        )
        return found
