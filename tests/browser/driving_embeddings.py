"""What a person does on the Embeddings page, and what can be read off it."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np

from tests.browser.driving import App

_SHOWN = "trace.mode.startsWith('markers') && /^(sense|static)/.test(trace.legendgroup)"

_POINTS = f"""() => document.querySelector(
  '#embeddings-plot .js-plotly-plot')._fullData.filter(trace => {_SHOWN}).map(trace => ({{
  name: trace.name, x: Array.from(trace.x), y: Array.from(trace.y), text: Array.from(trace.text),
  colour: trace.marker.color, symbol: trace.marker.symbol,
}}))"""


@dataclass(frozen=True)
class DrawnPoints:
    """One trace of the embeddings plot."""

    name: str
    points: np.ndarray
    numbers: list[str]
    colour: str
    symbol: str


class Embeddings(App):
    """The Embeddings page."""

    path = "/embeddings"
    name = "embeddings"
    graph = "embeddings-plot"

    def wait_until_drawn(self, timeout_ms: float = 20_000) -> None:
        self.wait_for_plot(timeout_ms=timeout_ms)

    def wait_for_plot(
        self, word: str | None = None, layer: int | None = None, model: str | None = None, timeout_ms: float = 20_000
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
                html.unescape(trace["name"]),
                np.array([trace["x"], trace["y"]]).T,
                trace["text"],
                trace["colour"],
                trace["symbol"],
            )
            for trace in self.page.evaluate(_POINTS)
        ]

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
