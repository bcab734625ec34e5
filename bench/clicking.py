"""Clicks on heads, timed by the page itself (timers.js)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from playwright.sync_api import Page, TimeoutError

TRIES = 20


@dataclass(frozen=True)
class Clicked:
    """A page with a grid of heads to click, and a graph that shows the one clicked."""

    page: Page
    grid: str
    graph: str

    def click(self, layer: int, head: int) -> tuple[float, float]:
        """Seconds until the head is painted, and those of the longest task meanwhile."""
        graphs = [self.grid, self.graph, f"layer {layer} · head {head}"]
        self.page.evaluate("of => timers.timeClick(...of)", graphs)
        self.page.evaluate("timers.longestTask()")
        self._press(layer, head)
        # Asked rarely, so that asking takes nothing from the page.
        took = self.page.wait_for_function("timers.took", polling=100).json_value()
        return took / 1e3, self.page.evaluate("timers.longestTask()") / 1e3

    def _press(self, layer: int, head: int) -> None:
        """Click a head until plotly takes the click: a grid drawn just then misses one."""
        cell = [self.grid, head, layer]
        for _ in range(TRIES):
            x, y = self.page.evaluate("of => timers.placeOf(...of)", cell)
            # Plotly looks at most every 50 ms, so a single move can be overlooked.
            self.page.mouse.move(x - 2, y - 2)
            self.page.mouse.move(x, y)
            with suppress(TimeoutError):
                self.page.wait_for_function("of => timers.isOver(...of)", arg=cell, timeout=1000)
                self.page.mouse.down()
                self.page.mouse.up()
                self.page.wait_for_function("timers.started", polling=100, timeout=2000)
                return
        raise SystemExit(f"{self.grid} takes no click on layer {layer}, head {head}")


def clicks_in_turn(
    sides: dict[str, Clicked], heads: list[tuple[int, int]]
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Click each head on every side in turn; the first head does not count.

    Returns each side's seconds, and its longest task's.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    longest = dict.fromkeys(sides, 0.0)
    for number, place in enumerate(heads):
        for name, side in sides.items():
            took, task = side.click(*place)
            if number:
                seconds[name].append(took)
                longest[name] = max(longest[name], task)
    return seconds, longest
