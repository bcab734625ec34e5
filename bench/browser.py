"""The Heads page in Chromium, beside a bare Dash heatmap and BertViz.

    python bench/browser.py [--clicks 9] [--models minilm smollm2] [--lengths 16 64 128 256 512]
        [--peer-tokens 128] [--most-seconds 180]

BertViz has requirements of its own (``pip install -r bench/requirements.txt``), and three
libraries of its page are fetched with npm, once. ``--peer-tokens 0`` leaves it out.

Each text is captured first. Then heads are clicked in the picture of all, in turn with clicks in
an app that is nothing but two Dash heatmaps of the same numbers: from the mouse button's release
until that head is painted, by the page's own clock, and the median over different heads. Bytes
and the server's time are those of the same questions asked again. A page's own time is that of a
fresh profile, from navigation until all is painted. BertViz is given transformers' eager
attentions of the same text. Prints Markdown tables and the budgets, and writes
``bench/results/browser-<device>.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Browser, Page, Playwright, Request, sync_playwright
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import bertviz_page
from bench.cases import some_heads, text_of
from bench.clicking import Clicked, clicks_in_turn
from bench.eager import Attentions, Eager
from bench.recording import RESULTS, machine, markdown, medians, on_what, ratio, write
from bench.serving import answered, count_nodes, new_page, opened, served

MODELS = ("minilm", "smollm2")
LENGTHS = (16, 64, 128, 256, 512)
PEER_MODEL = "minilm"
TIMEOUT_MS = 180_000
MAP, OVERVIEW = "heads-heatmap", "heads-overview"
DRAWN = [f"#{MAP} .heatmaplayer image", f"#{OVERVIEW} .imagelayer image"]
# What is there once a view is drawn.
VIEWS = {
    "map": f"#{MAP} .heatmaplayer image",
    "lines": "#heads-lines-graph .shapelayer path",
    "compare": "#heads-comparison-difference .heatmaplayer image",
    "distances": "#heads-distances-graph .scatterlayer .point",
}
_TIME_THE_OPENING = "of => { timers.opened(of).then(ms => { timers.drawnAt = ms; }); }"
_SETTLED = """() => document.querySelector('#heads-table .ag-row')
  && !document.querySelector('.working')"""


@dataclass
class Questions:
    """What a page asks the server for, address and body, by the figure that it gets."""

    map: list[tuple[str, str]] = field(default_factory=list)
    overview: list[tuple[str, str]] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Keep a request that asks for one of the two figures."""
        body = request.post_data or ""
        if "/_dash-update-component" not in request.url or not body:
            return
        output = json.loads(body)["output"]
        for kept, graph in ((self.map, MAP), (self.overview, OVERVIEW)):
            if f"{graph}.figure" in output:
                kept.append((request.url, body))


def measure(browser: Browser, url: str, name: str, text: str, attentions: Attentions, n_clicks: int) -> dict[str, Any]:
    """One row of ours: a model and a text, with the bare app's clicks in turn."""
    questions = Questions()
    open_explorer(browser, url, name, text).context.close()  # reads the text
    page = open_explorer(browser, url, name, text, questions)
    opening = {"seconds": page.evaluate("timers.drawnAt") / 1e3}
    opening["bytes"] = page.evaluate("timers.received()")
    shape = len(attentions), attentions[0].shape[1]
    with bare_page(browser, attentions) as bare:
        sides = {"click": Clicked(page, OVERVIEW, MAP), "bare": Clicked(bare, "grid", "map")}
        seconds, longest = clicks_in_turn(sides, some_heads(*shape, n_clicks + 1))
    nodes = nodes_by_view(page)
    page.context.close()
    answers = [answered(*question) for question in questions.map[1 : n_clicks + 2]]
    return {
        "model": name,
        "tokens": attentions[0].shape[-1],
        "seconds": {
            "open": opening["seconds"],
            "server": statistics.median(took for took, _ in answers),
            **medians(seconds),
        },
        "seconds_all": seconds,
        "click_to_bare": ratio(seconds["click"], seconds["bare"]),
        "longest_task_seconds": longest,
        "bytes": {
            "page": opening["bytes"],
            "map": max(size for _, size in answers),
            "overview": max(answered(*question)[1] for question in questions.overview),
        },
        "nodes": nodes,
    }


def open_explorer(browser: Browser, url: str, name: str, text: str, questions: Questions | None = None) -> Page:
    """The Heads page of a text in a fresh profile, once nothing is being worked on."""
    page = new_page(browser, TIMEOUT_MS)
    if questions is not None:
        page.on("request", questions.note)
    page.goto(f"{url}/?{urlencode({'model': name, 'text': text})}", wait_until="commit")
    page.evaluate(_TIME_THE_OPENING, DRAWN)
    page.wait_for_function("timers.drawnAt", polling=100)
    page.wait_for_function(_SETTLED, polling=100)
    return page


@contextmanager
def bare_page(browser: Browser, attentions: Attentions) -> Iterator[Page]:
    """The page of ``bare.py`` on the same weights."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "attention.npy")
        np.save(file, np.stack([layer[0].numpy() for layer in attentions]))
        with served("bench/bare.py", "PORT", str(file)) as url:
            page = new_page(browser, TIMEOUT_MS)
            page.goto(url)
            page.wait_for_selector("#map .heatmaplayer image", state="attached")
            yield page
            page.context.close()


def nodes_by_view(page: Page) -> dict[str, int]:
    """How many elements the page has in each view."""
    nodes = {}
    for view, there in VIEWS.items():
        page.click(f"#heads-mode >> text={view}")
        page.wait_for_selector(there, state="attached")
        page.wait_for_function(_SETTLED, polling=100)
        nodes[view] = count_nodes(page)
    return nodes


def bertviz_rows(
    playwright: Playwright, lengths: list[int], files: dict[str, Path], most_seconds: float
) -> list[dict[str, Any]]:
    """BertViz's views of the texts, ``files`` being the libraries of its page."""
    eager = Eager(PEER_MODEL)
    rows = []
    for n in lengths:
        attentions, tokens = eager.attentions(text_of(eager.tokenizer, n))
        for view in bertviz_page.VIEWS:
            rows.append(bertviz_page.measure(playwright, view, attentions, tokens, files, most_seconds))
            print(f"BertViz {view}, {n:,} tokens: done", file=sys.stderr, flush=True)
    return rows


def budgets(rows: list[dict[str, Any]]) -> list[str]:
    """Each budget with the worst that was measured, met or not; where no row tells, nothing."""
    checks: list[tuple[str, list[float], float, str]] = [
        (
            "one head on the wire, 512 tokens",
            [row["bytes"]["map"] / 1e3 for row in rows if row["tokens"] == 512],
            400,
            "KB",
        ),
        ("picture of all heads on the wire", [row["bytes"]["overview"] / 1e3 for row in rows], 250, "KB"),
        (
            "click until painted, 128 tokens, median",
            [row["seconds"]["click"] for row in rows if row["tokens"] == 128],
            0.2,
            "s",
        ),
        (
            "click until painted, 512 tokens, median",
            [row["seconds"]["click"] for row in rows if row["tokens"] == 512],
            0.4,
            "s",
        ),
        ("nodes in the page, in any view", [count for row in rows for count in row["nodes"].values()], 5000, ""),
    ]
    return [
        f"{what}: {max(values):,.4g} of {limit:,} {unit}".strip() + (": met" if max(values) <= limit else ": NOT met")
        for what, values, limit, unit in checks
        if values
    ]


def table(rows: list[dict[str, Any]]) -> str:
    """Our rows as Markdown."""
    lines = []
    for row in rows:
        task = row["longest_task_seconds"]["click"]
        lines.append(
            [
                row["model"],
                f"{row['tokens']:,}",
                *(f"{row['bytes'][name] / 1e3:,.0f} KB" for name in ("map", "overview")),
                *(f"{row['seconds'][name] * 1e3:,.0f} ms" for name in ("server", "click", "bare")),
                f"{row['click_to_bare']:.2f}",
                # The browser tells of tasks from 50 ms on.
                f"{task * 1e3:,.0f} ms" if task else "< 50 ms",
                *(f"{row['nodes'][view]:,}" for view in VIEWS),
            ]
        )
    return markdown(
        [
            "model",
            "tokens",
            "one head",
            "picture of all",
            "server, one head",
            "click → painted",
            "bare Dash",
            "÷ bare",
            "longest task",
            *(f"nodes, {view}" for view in VIEWS),
        ],
        lines,
    )


def peer_table(rows: list[dict[str, Any]], peers: list[dict[str, Any]]) -> str:
    """BertViz's views of the same texts, each with how many times ours it is."""
    ours = {row["tokens"]: row for row in rows if row["model"] == PEER_MODEL}
    lines = []
    for peer in peers:
        own = ours[peer["tokens"]]
        lines.append(
            [
                f"{peer['tokens']:,}",
                peer["view"].replace("_", " "),
                f"{peer['bytes'] / 1e6:,.1f} MB",
                *beside(peer["bytes_compressed"] / 1e6, own["bytes"]["page"] / 1e6, " MB", 1),
                *beside(peer["seconds"], own["seconds"]["open"], " s", 1),
                *beside(peer["nodes"], own["nodes"]["map"], "", 0),
            ]
        )
    return markdown(
        [
            "tokens",
            "BertViz",
            "its HTML",
            "compressed",
            "ours",
            "×",
            "until painted",
            "ours",
            "×",
            "nodes",
            "ours",
            "×",
        ],
        lines,
    )


def beside(theirs: float | None, ours: float, unit: str, digits: int) -> tuple[str, str, str]:
    """Theirs, ours, and how many times ours theirs is; dashes where theirs was not finished."""
    own = f"{ours:,.{digits}f}{unit}"
    if theirs is None:
        return "–", own, "–"
    return f"{theirs:,.{digits}f}{unit}", own, f"{theirs / ours:,.1f}"


def run(given: argparse.Namespace, folder: Path = RESULTS) -> None:
    """Measure, print the tables, write the file."""
    logging.disable_progress_bar()
    here = machine()
    short = [n for n in given.lengths if n <= given.peer_tokens and PEER_MODEL in given.models]
    files = bertviz_page.libraries() if short else {}  # what is missing is told before the work
    rows = []
    with sync_playwright() as playwright:
        for name in given.models:
            eager = Eager(name)
            with served("app.py", "--port", "PORT") as url, opened(playwright) as browser:
                here["chromium"] = browser.version
                for n in given.lengths:
                    text = text_of(eager.tokenizer, n)
                    attentions, _ = eager.attentions(text)
                    rows.append(measure(browser, url, name, text, attentions, given.clicks))
                    print(f"{name}, {n:,} tokens: done", file=sys.stderr, flush=True)
        peers = bertviz_rows(playwright, short, files, given.most_seconds)
    here["versions"] |= {name: metadata.version(name) for name in ("dash", "plotly")}
    if short:
        here["versions"]["bertviz"] = metadata.version("bertviz")
    result = {"benchmark": "the Heads page in Chromium, float32", **here}
    write("browser", result | {"clicks": given.clicks, "rows": rows, "bertviz": peers}, folder)
    print(f"{on_what(here)}\n\n{table(rows)}\n")
    if peers:
        print(f"{peer_table(rows, peers)}\n")
    print("\n".join(budgets(rows)))


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clicks", type=int, default=9)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS))
    parser.add_argument("--peer-tokens", type=int, default=128, help="BertViz's longest text")
    parser.add_argument("--most-seconds", type=float, default=180.0, help="a page of BertViz's may take")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
