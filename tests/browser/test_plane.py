"""The Embeddings page's plane: layers that move in the browser, its bases, its switches."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, Request, expect
from sklearn.decomposition import PCA

from tests.browser import eager
from tests.browser.driving import Embeddings

_META = "document.querySelector('#embeddings-plot .js-plotly-plot').layout.meta"
_TYPES = """() => document.querySelector(
  '#embeddings-plot .js-plotly-plot')._fullData.map(trace => trace.type)"""


def _sentences(page: Page) -> list[str]:
    return [line.split(" | ")[1] for line in page.input_value("#embeddings-sentences").splitlines()]


def _choose(page: Page, field: str, label: str) -> None:
    """Choose from a list as a person does."""
    page.locator(f"#embeddings-{field}").click()
    page.get_by_role("option", name=label, exact=True).click()


def _wait_for_caption(embeddings: Embeddings, says: str) -> None:
    expect(embeddings.page.locator("#embeddings-caption")).to_contain_text(says, timeout=20_000)


def test_layers_play_in_one_basis_without_the_server(embeddings: Embeddings) -> None:
    page = embeddings.page
    _choose(page, "basis", "one for all layers")
    _wait_for_caption(embeddings, "at all layers, 0 to 6,")
    embeddings.slide("Home")
    embeddings.wait_for_plot(layer=0)
    asked: list[Any] = []

    def note(request: Request) -> None:
        if "embeddings-plot.figure" in (request.post_data or "").split('"inputs"')[0]:
            asked.append(request.url)

    page.on("request", note)
    play = page.locator("#embeddings-play")
    expect(play).to_have_text("▶ Play")  # nothing moves unasked
    play.click()
    embeddings.wait_for_plot(layer=2)
    play.click()
    expect(play).to_have_text("▶ Play")
    paused = page.evaluate(f"{_META}.layer")
    assert 2 <= paused < 6
    play.click()
    embeddings.wait_for_plot(layer=6, timeout_ms=60_000)
    expect(play).to_have_text("▶ Play")  # it ends there
    assert asked == []

    contextual, static = eager.word_vectors("minilm", _sentences(page), "apple")
    pca = PCA(2, svd_solver="full").fit(np.concatenate([*contextual, static]).astype(np.float64))
    theirs, drawn = pca.transform(contextual[6].astype(np.float64)), embeddings.points()
    signs = np.sign((theirs * drawn).sum(axis=0))
    np.testing.assert_allclose(drawn * signs, theirs, atol=1e-3 * np.abs(theirs).max())


def test_paths_need_one_basis(embeddings: Embeddings) -> None:
    page = embeddings.page
    paths = page.locator("#embeddings-paths")
    expect(paths).to_be_disabled()
    _choose(page, "basis", "vocabulary")
    _wait_for_caption(embeddings, "static vectors of 2,000 words")
    expect(paths).to_be_enabled()
    paths.click()
    _wait_for_caption(embeddings, "way through all layers")
    _wait_for_caption(embeddings, "of this layer's")


def test_three_dimensions_are_drawn_and_saved(embeddings: Embeddings, tmp_path: Path) -> None:
    page = embeddings.page
    page.locator("#embeddings-axes").get_by_text("3-D", exact=True).click()
    _wait_for_caption(embeddings, "the picture keeps")
    embeddings.wait_for(f"() => {_META}.layers[3].axes.length === 3")
    assert set(page.evaluate(_TYPES)) == {"scatter3d"}
    table = csv.DictReader(embeddings.save("csv", tmp_path).read_text().splitlines())
    rows = [row for row in table if row["sentence"]]  # not the anchors
    contextual, static = eager.word_vectors("minilm", _sentences(page), "apple")
    theirs = PCA(3, svd_solver="full").fit_transform(np.concatenate([contextual[3], static]))
    saved = np.array([[float(row[axis]) for axis in "xyz"] for row in rows])
    np.testing.assert_allclose(np.abs(saved), np.abs(theirs), atol=1e-3)


def test_without_webgl_a_line_says_so(page: Page) -> None:
    page.add_init_script(
        "const own = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...more) {"
        "  return kind.startsWith('webgl') ? null : own.call(this, kind, ...more); };"
    )
    embeddings = Embeddings(page).open()
    page.locator("#embeddings-axes").get_by_text("3-D", exact=True).click()
    expect(page.locator("#embeddings-plane-note")).to_contain_text("need WebGL")
    assert set(page.evaluate(_TYPES)) == {"scatter"}
    assert embeddings.points().shape == (len(_sentences(page)), 2)


def test_tsne_shows_a_layer_at_a_time_and_says_what_it_is(embeddings: Embeddings) -> None:
    page = embeddings.page
    _choose(page, "method", "t-SNE")
    _wait_for_caption(embeddings, "t-SNE keeps neighbours, not distances")
    expect(page.locator("#embeddings-play")).to_be_disabled()
    embeddings.slide("ArrowRight")
    embeddings.wait_for_plot(layer=4)
    assert embeddings.axis_titles() == ["t-SNE 1", "t-SNE 2"]


def test_what_the_axes_leave_out_stands_beside_them(embeddings: Embeddings) -> None:
    page = embeddings.page
    contextual, static = eager.word_vectors("minilm", _sentences(page), "apple")
    table = page.locator("#embeddings-distances")
    to_static = np.linalg.norm(contextual[3] - static, axis=1).mean()
    expect(table.locator("tr", has_text="to static")).to_contain_text(f"{to_static:.3g}")
    shares = PCA(svd_solver="full").fit(np.concatenate([contextual[3], static]))
    drawn = page.evaluate(
        "Array.from(document.querySelector('#embeddings-scree .js-plotly-plot')._fullData[0].y)"
    )
    ratios = 100 * shares.explained_variance_ratio_[: len(drawn)]
    np.testing.assert_allclose(drawn, ratios, atol=1e-3)
