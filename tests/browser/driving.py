"""What a person does on the pages, and what can be read off them.

Every wait is for something that can be seen. Drawn numbers are those plotly holds after
drawing (``_fullData``), never those of a request on its way.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from playwright.sync_api import Locator, Page, expect

_T = TypeVar("_T", bound="App")

# The first use of smollm2 on a machine converts its weights.
FIRST_LOAD_MS = 180_000

_PLACE = """([id, column, row]) => {
  const plot = document.querySelector(`#${id} .js-plotly-plot`);
  const {xaxis, yaxis} = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.l2p(column), box.top + yaxis._offset + yaxis.l2p(row)];
}"""

_OPEN = """async address => {
  const before = Array.from(document.querySelectorAll('main.page > *'));
  openAddress(address, { keep: false });
  while (before.some(part => part.isConnected)) await new Promise(requestAnimationFrame);
}"""

_HOVER = """id => Array.from(
  document.querySelectorAll(`#${id} .hoverlayer .hovertext`),
  label => Array.from(label.querySelectorAll('text'), text => {
    const lines = Array.from(text.querySelectorAll('tspan.line'), line => line.textContent);
    return lines.length ? lines.join('\\n') : text.textContent;
  }).filter(Boolean).join('\\n'),
).join('\\n')"""

_OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const wide = document.documentElement.scrollWidth - width;
  const out = Array.from(document.querySelectorAll('button, input, textarea, a, .panel, .caption'))
    .filter(node => node.offsetParent)
    .map(node => [node.id || node.className, node.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.right > width + 1 || box.left < -1))
    .map(([name, box]) => `${name} ${Math.round(box.left)}–${Math.round(box.right)}`);
  return wide > 0 ? [...out, `the page, by ${wide}`] : out;
}"""


@dataclass(frozen=True)
class Server:
    """The app under test: its address, and all it has printed."""

    url: str
    log: list[str]


def resize(page: Page, width: int, height: int) -> None:
    """Give the window another size, and wait until the page's graphs have followed."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        """() => Array.from(document.querySelectorAll('.js-plotly-plot'))
        .filter(plot => plot.offsetParent && plot._fullLayout?.autosize)
        .every(plot => Math.abs(plot._fullLayout.width - plot.clientWidth) < 2)"""
    )


def assert_fits(page: Page) -> None:
    """Nothing scrolls sideways and nothing is cut off."""
    assert page.evaluate(_OVERFLOW) == []


class App(ABC):
    """What all pages have in common."""

    path = "/"
    name = "heads"
    graph = "heads-heatmap"
    saved_size = ""  # as the menu told it

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self: _T, timeout_ms: float = 20_000, **state: Any) -> _T:
        """Open the page's address anew, without loading the scripts again, and wait for its first result."""
        address = self.path + (f"?{urlencode(state)}" if state else "")
        if self.page.url == "about:blank":
            self.page.goto(address)
        else:
            self.page.evaluate(_OPEN, address)
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
                self.wait_for(f"([id, says]) => new RegExp(says).test(({_HOVER})(id))", [graph, says], 500)
            except Exception as error:
                if "Timeout" not in type(error).__name__:
                    raise
                continue
            label: str = self.page.evaluate(_HOVER, graph)
            if wanted.search(label):
                return label
        raise AssertionError(f"the hover label says {self.page.evaluate(_HOVER, graph)!r}, not {says!r}")

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
