"""How every bench times what it compares, and how it describes and keeps a run."""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def seconds_in_turn(
    tasks: dict[str, Callable[[], object]], repeats: int, device: str = "cpu", most_seconds: float = float("inf")
) -> dict[str, list[float]]:
    """Seconds each task took; the tasks take turns, and the first turn does not count.

    A task is left out of further turns once it has taken ``most_seconds`` in all; if that is in
    the first turn, it counts.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    spent = dict.fromkeys(tasks, 0.0)
    for turn in range(repeats + 1):
        for name, task in tasks.items():
            if spent[name] >= most_seconds:
                continue
            settle(device)
            start = time.perf_counter()
            kept = task()
            settle(device)
            took = time.perf_counter() - start
            del kept
            spent[name] += took
            if turn or took >= most_seconds:
                seconds[name].append(took)
    return seconds


def settle(device: str) -> None:
    """Wait for what the card was given to do."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    """The median of each task's times."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median over turns, as long as both took part: the two of one ran under the same load."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=False))


def machine(device: str = "cpu") -> dict[str, Any]:
    """What a result depends on: the card or processor, cores, load and versions; no names."""
    return {
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("torch", "transformers", "numpy")},
        },
    }


def on_what(run: dict[str, Any]) -> str:
    """A run's machine in a line."""
    named = run["processor"] if run["device"] == "cpu" else run["device"]
    return f"{named}, {run['cores']} cores"


def write(name: str, result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Keep a result as ``<name>-<device>.json``, and say where it is."""
    device = re.sub(r"[^a-z0-9]+", "-", result["device"].lower()).strip("-")
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{device}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return path


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with numbers to the right."""
    lines = [columns, ["--:"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _processor() -> str:
    """The processor's name, as well as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = re.findall(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if names:
            return names[0]
    return platform.processor() or platform.machine()
