"""What the Heads page asks of the server: one head, the picture of all, every measure, nulls.

    python bench/heads.py [--device cpu] [--repeats 5] [--models minilm smollm2]
    python bench/heads.py --long [--device cpu]

The bundled models on texts from 16 tokens to 512, and to 2,048 where the model reads that many.
The tasks take turns with a capture of the same text, and times are told beside it: medians of
one run. A task of many seconds is run less often. Sizes are the bytes of the answer as the page
gets it, gzip's level 1; of one head the largest of several. Prints a Markdown table and writes
``bench/results/heads-<device>.json``.

``--long`` reads 8,192 tokens with smollm2, each step once, and says how long it took and how far
it raised the memory in use; measures are stopped after two minutes, and what share of them was
done is told. It writes ``bench/results/heads-long-<device>.json``.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parents[1]))

import explorer
from bench.cases import some_heads, text_of
from bench.memory import PeakMemory
from bench.recording import RESULTS, machine, markdown, medians, on_what, ratio, seconds_in_turn, settle, write
from explorer.analysis.experiments import nulls_of
from explorer.analysis.measures import compute_all
from explorer.saving.formats import to_json
from explorer.views.heads.heatmap.compute import MOST_CELLS, Region, head_map
from explorer.views.heads.heatmap.figure import heatmap_figure
from explorer.views.heads.overview.compute import heads_overview
from explorer.views.heads.overview.figure import overview_figure
from explorer.views.heads.page import MapSettings
from explorer.views.registry import VIEWS
from explorer.views.spec import ComputedView

MODELS = ("minilm", "smollm2")
LENGTHS = (16, 64, 128, 256, 512, 1024, 2048)
NULLS_TOKENS = 128
LONG_MODEL, LONG_TOKENS = "smollm2", 8192
MOST_SECONDS = 10.0
MOST_SECONDS_OF_MEASURES = 120.0
HEADS_SIZED = 9
OVERVIEW_BUDGET, OVERVIEW_TOKENS = 250_000, 1024
SCREEN = Region(most=MOST_CELLS)


class TooLong(Exception):
    """Raised where measures tell their progress after their time is over."""


def map_answer(cap: Any, layer: int, head: int, region: Region = SCREEN) -> bytes:
    """The figure of one head as the page gets it; of a part of it, or whole."""
    figure = heatmap_figure(head_map(cap, layer, head, region=region))
    return gzip.compress(figure.to_json().encode(), compresslevel=1)


def overview_answer(cap: Any) -> bytes:
    """The picture of all heads as the page gets it."""
    figure = overview_figure(heads_overview(cap))
    return gzip.compress(figure.to_json().encode(), compresslevel=1)


def file_bytes(cap: Any, layer: int, head: int) -> bytes:
    """One head's numbers in full as the JSON file holds them, compressed likewise."""
    view = ComputedView(
        VIEWS["heatmap"], MapSettings(layer=layer, head=head), head_map(cap, layer, head), "cpu", "float32"
    )
    return gzip.compress(to_json(view.result()).encode(), 1)


def measure(loaded: explorer.LoadedModel, n: int, repeats: int) -> dict[str, Any]:
    """One row: times, bytes and peak memory at ``n`` tokens."""
    text = text_of(loaded.tokenizer, n)
    cap = explorer.capture(loaded, text)
    stack = cap.stack()
    sized = some_heads(stack.n_layers, stack.n_heads, HEADS_SIZED)
    layer, head = sized[0]
    seconds = seconds_in_turn(
        {
            "capture": lambda: explorer.capture(loaded, text),
            "attention": lambda: cap.attention(layer, head),
            "map": lambda: map_answer(cap, layer, head),
            "overview": lambda: overview_answer(cap),
            "measures": lambda: compute_all(cap),
        },
        repeats,
        loaded.device,
        MOST_SECONDS,
    )
    peaks = {}
    for name, task in (("overview", overview_answer), ("measures", compute_all)):
        with PeakMemory(loaded.device) as peak:
            task(cap)
        peaks[name] = {"host": peak.host, "card": peak.card}
    return {
        "model": loaded.name,
        "tokens": n,
        "seconds": medians(seconds),
        "seconds_all": seconds,
        "measures_to_capture": ratio(seconds["measures"], seconds["capture"]),
        "bytes": {
            "map": max(len(map_answer(cap, *place)) for place in sized),
            "file": max(len(file_bytes(cap, *place)) for place in sized[:3]),
            "overview": len(overview_answer(cap)),
            "all_attention": 4 * stack.n_layers * stack.n_heads * n * n,
        },
        "peak_bytes": peaks,
    }


def measure_nulls(loaded: explorer.LoadedModel, n: int, repeats: int) -> dict[str, Any]:
    """Seconds of every measure's null, 20 shuffled texts, beside one pass of the measures."""
    cap = explorer.capture(loaded, text_of(loaded.tokenizer, n))
    tasks = {"nulls": lambda: nulls_of(cap), "measures": lambda: compute_all(cap)}
    seconds = seconds_in_turn(tasks, repeats, loaded.device, MOST_SECONDS)
    return {
        "model": loaded.name,
        "tokens": n,
        "seconds": medians(seconds),
        "seconds_all": seconds,
        "nulls_to_measures": ratio(seconds["nulls"], seconds["measures"]),
    }


def measure_long(loaded: explorer.LoadedModel, n: int, most_seconds: float) -> dict[str, dict[str, Any]]:
    """Each step once at ``n`` tokens: seconds, and bytes over what was in use before it."""
    text = text_of(loaded.tokenizer, n)
    side = min(512, n // 2)
    window = Region((n - side, n), (0, side))
    steps: dict[str, dict[str, Any]] = {}

    def step(name: str, task: Callable[[], Any]) -> Any:
        with PeakMemory(loaded.device) as peak:
            settle(loaded.device)
            start = time.perf_counter()
            made = task()
            settle(loaded.device)
            took = time.perf_counter() - start
        steps[name] = {"seconds": took, "host": peak.host, "card": peak.card}
        print(f"{name}: {took:.1f} s", file=sys.stderr, flush=True)
        return made

    cap = step("capture", lambda: explorer.capture(loaded, text))
    stack = cap.stack()
    middle = stack.n_layers // 2, stack.n_heads // 2
    step("window", lambda: map_answer(cap, *middle, window))
    answer = step("overview", lambda: overview_answer(cap))
    share = step("measures", lambda: measured_share(cap, most_seconds))
    steps["capture"]["holds"] = cap.nbytes
    steps["overview"]["answer"] = len(answer)
    steps["measures"]["share_done"] = share
    return steps


def measured_share(cap: Any, most_seconds: float) -> float:
    """Compute every measure for so many seconds at most; the share that was done by then."""
    start, done = time.perf_counter(), 0.0

    def progress(_doing: str, share: float | None) -> None:
        nonlocal done
        done = share or 0.0
        if time.perf_counter() - start > most_seconds:
            raise TooLong

    try:
        compute_all(cap, progress=progress)
    except TooLong:
        return done
    return 1.0


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = []
    for row in rows:
        took, size = row["seconds"], row["bytes"]
        peak = row["peak_bytes"]["measures"]
        raised = peak["host"] if peak["card"] is None else peak["card"]
        lines.append(
            [
                row["model"],
                f"{row['tokens']:,}",
                *(milliseconds(took[name]) for name in ("capture", "attention", "map", "overview", "measures")),
                f"{row['measures_to_capture']:.1f}",
                *(f"{size[name] / 1e3:,.0f} KB" for name in ("map", "file", "overview")),
                megabytes(size["all_attention"]),
                megabytes(raised),
                "?" if raised is None else f"{raised / size['all_attention']:.2f}",
            ]
        )
    return markdown(
        [
            "model",
            "tokens",
            "capture",
            "one head",
            "its map",
            "all heads",
            "measures",
            "measures ÷ capture",
            "map",
            "JSON file",
            "picture of all",
            "all attention",
            "measures' peak",
            "÷ all attention",
        ],
        lines,
    )


def long_table(steps: dict[str, dict[str, Any]]) -> str:
    """The steps of a long text as Markdown."""
    lines = []
    for name, step in steps.items():
        share = step.get("share_done", 1.0)
        whole = "" if share == 1.0 else f" ({share:.0%} done)"
        lines.append([name, f"{step['seconds']:.1f} s{whole}", megabytes(step["host"]), megabytes(step["card"])])
    return markdown(["step", "time", "memory over what was in use", "of the card"], lines)


def milliseconds(seconds: float) -> str:
    """A time as the tables show it."""
    return f"{seconds * 1e3:,.1f} ms" if seconds < 0.1 else f"{seconds * 1e3:,.0f} ms"


def megabytes(count: int | None) -> str:
    """Bytes as the tables show them; a question mark where they are not known."""
    return "?" if count is None else f"{count / 1e6:,.1f} MB"


def budget_line(rows: list[dict[str, Any]]) -> str:
    """Whether the largest picture of all heads keeps to its budget."""
    largest = max((row["bytes"]["overview"] for row in rows if row["tokens"] <= OVERVIEW_TOKENS), default=0)
    said = "met" if largest <= OVERVIEW_BUDGET else "NOT met"
    return (
        f"picture of all heads, up to {OVERVIEW_TOKENS:,} tokens: {largest / 1e3:,.0f} KB of "
        f"{OVERVIEW_BUDGET / 1e3:,.0f} KB: {said}"
    )


def run(device: str, repeats: int, models: list[str], lengths: list[int], folder: Path = RESULTS) -> None:
    """Measure, print the tables, write the file."""
    logging.disable_progress_bar()
    here = machine(device)
    rows, nulls = [], []
    for name in models:
        loaded = explorer.load_model(name, device=device)
        for n in lengths:
            if loaded.max_tokens is None or n <= loaded.max_tokens:
                rows.append(measure(loaded, n, repeats))
                print(f"{name}, {n:,} tokens: done", file=sys.stderr, flush=True)
        nulls.append(measure_nulls(loaded, min(NULLS_TOKENS, max(lengths)), repeats))
    result = {"benchmark": "what the Heads page asks of the server, float32", **here}
    write("heads", result | {"repeats": repeats, "rows": rows, "nulls": nulls}, folder)
    print(f"{on_what(here)}\n\n{table(rows)}\n")
    for row in nulls:
        print(
            f"{row['model']}, nulls of {row['tokens']} tokens: {row['seconds']['nulls']:.1f} s, "
            f"{row['nulls_to_measures']:.1f} times the measures alone"
        )
    print(budget_line(rows))


def run_long(
    device: str,
    name: str = LONG_MODEL,
    n: int = LONG_TOKENS,
    most_seconds: float = MOST_SECONDS_OF_MEASURES,
    folder: Path = RESULTS,
) -> None:
    """Measure one long text, print the table, write the file."""
    logging.disable_progress_bar()
    here = machine(device)
    loaded = explorer.load_model(name, device=device)
    steps = measure_long(loaded, n, most_seconds)
    result = {"benchmark": "one long text on the Heads page, float32", **here}
    write("heads-long", result | {"model": name, "tokens": n, "steps": steps}, folder)
    print(f"{on_what(here)} · {name} · {n:,} tokens\n\n{long_table(steps)}")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--lengths", nargs="+", type=int, default=list(LENGTHS))
    parser.add_argument("--long", action="store_true", help=f"only {LONG_MODEL} at {LONG_TOKENS:,} tokens, once")
    given = parser.parse_args()
    if given.long:
        run_long(given.device)
    else:
        run(given.device, given.repeats, given.models, given.lengths)


if __name__ == "__main__":
    main()
