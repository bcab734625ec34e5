"""The example notebook runs, shows what is in the repository, and needs no network."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import nbformat
import numpy as np
import pytest

import explorer

ROOT = Path(__file__).parents[1]
FIGURE = "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    path = ROOT / "docs" / "notebook.py"
    spec = importlib.util.spec_from_file_location("notebook_writer", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def kept() -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)


def results(book: nbformat.NotebookNode) -> list[dict]:
    return [
        output.data for cell in book.cells if cell.cell_type == "code" for output in cell.outputs if "data" in output
    ]


def test_it_runs_and_gives_what_the_repository_shows(
    writer: ModuleType, kept: nbformat.NotebookNode, minilm: explorer.LoadedModel
) -> None:
    book = writer.executed(writer.unexecuted())
    assert [cell.source for cell in book.cells] == [cell.source for cell in kept.cells], "run python docs/notebook.py"
    now, before = results(book), results(kept)
    assert len(now) == len(before) == 7
    for one, other in zip(now, before, strict=True):
        assert one.get("text/plain") == other.get("text/plain")
        assert (FIGURE in one) == (FIGURE in other)
    heatmap = next(one[FIGURE] for one in now if FIGURE in one)
    (cells,) = [trace for trace in heatmap["data"] if trace["type"] == "heatmap"]
    cap = explorer.capture(minilm, "She ate an apple while Apple announced a phone.")
    drawn = _numbers(cells["z"])
    np.testing.assert_allclose(drawn, cap.attention(1, 8), atol=1e-6)


def _numbers(told: dict | list) -> np.ndarray:
    """What plotly's JSON writes an array as: nested lists, or base64 with type and shape."""
    if isinstance(told, list):
        return np.array(told, dtype=float)
    import base64

    raw = np.frombuffer(base64.b64decode(told["bdata"]), dtype=told["dtype"])
    return raw.reshape([int(side) for side in told["shape"].split(",")])


def test_every_figure_is_also_a_picture_and_nothing_is_fetched(kept: nbformat.NotebookNode) -> None:
    figures = [one for one in results(kept) if FIGURE in one]
    assert len(figures) == 3
    for one in figures:
        assert one["image/png"].startswith("iVBOR")
    told = json.dumps(kept)
    assert "cdn." not in told
    assert "http" not in told.replace("http://www.w3.org", "")
    assert (ROOT / "docs" / "notebook.ipynb").stat().st_size < 600_000
