"""The measures by layer and the matrix of occurrences, end to end, against scikit-learn."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sklearn.metrics import silhouette_score

from tests.browser import eager
from tests.browser.driving_embeddings import Embeddings

LAYERS, MATRIX = "embeddings-layers-graph", "embeddings-similarity-graph"

_DRAWN = """id => document.querySelector(`#${id} .js-plotly-plot`)?._fullData?.map(trace => ({
  mode: trace.mode, y: Array.from(trace.y ?? [], value => value ?? NaN),
  z: Array.from(trace.z ?? [], row => Array.from(row)),
}))"""


def _rows(page: Page) -> tuple[list[str], list[str]]:
    lines = page.input_value("#embeddings-sentences").splitlines()
    senses, sentences = zip(*(line.split(" | ") for line in lines), strict=True)
    return list(senses), list(sentences)


def _show(embeddings: Embeddings, mode: str, graph: str) -> list[dict[str, Any]]:
    page = embeddings.page
    page.locator("#embeddings-mode").get_by_text(mode, exact=True).click()
    embeddings.wait_for(f"id => ({_DRAWN})(id)?.length > 0", graph)
    found: list[dict[str, Any]] = page.evaluate(_DRAWN, graph)
    return found


def test_by_layer(embeddings: Embeddings, tmp_path: Path) -> None:
    page = embeddings.page
    senses, sentences = _rows(page)
    contextual, _ = eager.word_vectors("minilm", sentences, "apple")
    expected = [silhouette_score(v, senses, metric="cosine") for v in contextual]
    traces = _show(embeddings, "by layer", LAYERS)
    drawn = next(trace["y"] for trace in traces if trace["mode"] == "lines+markers")
    np.testing.assert_allclose(drawn, expected, atol=1e-4)
    peak = int(np.argmax(expected))
    expect(page.locator("#embeddings-layers-verdict")).to_contain_text(
        f"fruit and company separate from layer 1 on, most at layer {peak} ({expected[peak]:.2f}, p = "
    )
    said = embeddings.hover(LAYERS, 5, expected[5], "^layer 5")
    assert f"{expected[5]:.3f}".replace("-", "−") in said
    page.mouse.down()
    page.mouse.up()
    embeddings.wait_for_address(layer="5")
    embeddings.wait_for(
        "id => document.querySelector(`#${id} .js-plotly-plot`).layout.shapes.every(line => line.x0 === 5)", LAYERS
    )
    table = embeddings.save("csv", tmp_path)
    assert table.name == "minilm-apple-by-layer.csv"
    with table.open(encoding="utf-8", newline="") as file:
        written = [float(row["separation"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(written, expected, atol=1e-4)
    picture = embeddings.save("png", tmp_path)
    assert picture.name == "minilm-apple-by-layer.png"
    with Image.open(picture) as image:
        assert len(image.convert("RGB").getcolors(10_000_000) or []) > 50
    page.click("#embeddings-layers-open")
    expect(page.get_by_role("dialog")).to_contain_text("the mean cosine distance to the own sense")


@pytest.mark.parametrize("layer", [3, 5])
def test_similarity(embeddings: Embeddings, layer: int, tmp_path: Path) -> None:
    page = embeddings.page
    senses, sentences = _rows(page)
    contextual, _ = eager.word_vectors("minilm", sentences, "apple")
    directions = contextual[layer] / np.linalg.norm(contextual[layer], axis=1, keepdims=True)
    expected = directions @ directions.T
    for _ in range(layer - 3):
        embeddings.slide("ArrowRight")
    embeddings.wait_for_plot(layer=layer)
    _show(embeddings, "similarity", MATRIX)
    embeddings.wait_for(
        "([id, value]) => Math.abs(document.querySelector(`#${id} .js-plotly-plot`)"
        "._fullData[0].z[0][1] - value) < 1e-4",
        [MATRIX, float(expected[0, 1])],
    )
    np.testing.assert_allclose(page.evaluate(_DRAWN, MATRIX)[0]["z"], expected, atol=1e-4)
    proposals = page.locator("#embeddings-similarity-proposals")
    expect(proposals).to_contain_text("2 groups by the vectors alone")
    expect(proposals).to_contain_text("adjusted Rand index 1.00")
    expect(proposals).to_contain_text(f"proposal 1 {senses.count('fruit')} fruit")
    said = embeddings.hover(MATRIX, 7, 1, "cosine")
    assert f"cosine {expected[1, 7]:.3f} · minus anisotropy" in said
    page.locator("#embeddings-similarity-values").get_by_text("minus anisotropy").click()
    expect(page.locator("#embeddings-similarity-caption")).to_contain_text("Minus anisotropy")
    table = embeddings.save("csv", tmp_path)
    assert table.name == f"minilm-apple-layer{layer}-similarity.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    written = np.array([[float(row[f"{i}.0"]) for i in range(len(rows))] for row in rows])
    lowered = expected - written
    np.testing.assert_allclose(lowered, lowered[0, 0], atol=1e-4)


def test_two_hundred_sentences(embeddings: Embeddings) -> None:
    """More ways to deal out their senses than can be gone through: some are drawn."""
    page = embeddings.page
    lines = [
        f"{'fruit' if number % 2 else 'company'} | On day {number} she saw an apple there." for number in range(200)
    ]
    embeddings.type("apple", *lines)
    embeddings.run()
    embeddings.wait_for_points(100, timeout_ms=120_000)
    page.locator("#embeddings-mode").get_by_text("by layer", exact=True).click()
    embeddings.wait_for(f"id => ({_DRAWN})(id)?.length > 0", LAYERS, timeout_ms=120_000)
    expect(page.locator("#embeddings-layers-caption")).to_contain_text("2,500 ways")


def test_a_smaller_matrix_takes_the_whole_plot(embeddings: Embeddings) -> None:
    _show(embeddings, "similarity", MATRIX)
    embeddings.type("apple", "fruit | They ate an apple there.", "company | An Apple phone.", "fruit | My apple tree.")
    embeddings.run()
    embeddings.wait_for("id => document.querySelector(`#${id} .js-plotly-plot`)._fullData[0].z.length === 3", MATRIX)
    embeddings.wait_for(
        """id => { const { xaxis, yaxis } = document.querySelector(`#${id} .js-plotly-plot`)._fullLayout;
        return JSON.stringify([xaxis.range, yaxis.range]) === '[[-0.5,2.5],[2.5,-0.5]]'; }""",
        MATRIX,
    )
