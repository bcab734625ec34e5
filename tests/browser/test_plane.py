"""The Embeddings page's plane: layers that move in the browser, its bases, its switches."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, Request, expect
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler, normalize
from transformers import LlamaConfig, LlamaForCausalLM

from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_embeddings import Embeddings
from tests.vocabularies import byte_level

_META = "document.querySelector('#embeddings-plot .js-plotly-plot').layout.meta"
_TYPES = """() => document.querySelector(
  '#embeddings-plot .js-plotly-plot')._fullData.map(trace => trace.type)"""


_TRACES = """() => document.querySelector('#embeddings-plot .js-plotly-plot')._fullData.map(
  ({ legendgroup, mode, meta, x, y }) => ({
    group: legendgroup, x: Array.from(x), y: Array.from(y),
    kind: meta === 'arrows' ? meta : mode.split('+')[0],
  }))"""
_GROUPS = """document.querySelector('#embeddings-plot .js-plotly-plot')._fullData.map(
  trace => trace.legendgroup)"""

_WATCH = """() => {
  window.watched = {
    layers: [], tasks: [], supported: PerformanceObserver.supportedEntryTypes.includes('longtask'),
  };
  new PerformanceObserver(list => window.watched.tasks.push(
    ...list.getEntries().map(entry => entry.duration))).observe({ type: 'longtask' });
  const plot = document.querySelector('#embeddings-plot .js-plotly-plot');
  plot.on('plotly_afterplot', () => window.watched.layers.push(plot.layout.meta.layer));
}"""


def _lines(page: Page) -> list[str]:
    return page.input_value("#embeddings-sentences").splitlines()


def _sentences(page: Page) -> list[str]:
    return [line.split(" | ")[1] for line in _lines(page)]


def _choose(page: Page, field: str, label: str) -> None:
    """Choose from a list as a person does."""
    page.locator(f"#embeddings-{field}").click()
    page.get_by_role("option", name=label, exact=True).click()


def _wait_for_caption(embeddings: Embeddings, says: str) -> None:
    expect(embeddings.page.locator("#embeddings-caption")).to_contain_text(says, timeout=20_000)


def _drawn(page: Page) -> dict[tuple[str, str], np.ndarray]:
    """Points [n, 2] of each trace, by its group and what it is: markers, lines or arrows."""
    return {
        (trace["group"], trace["kind"]): np.array([trace["x"], trace["y"]], dtype=float).T
        for trace in page.evaluate(_TRACES)
    }


def _close(drawn: np.ndarray, theirs: np.ndarray) -> None:
    """What the browser has is rounded for the screen."""
    np.testing.assert_allclose(drawn, theirs, atol=1e-3 * np.abs(theirs).max())


def _same(drawn: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The same points but for the axes' signs, which are given back."""
    signs: np.ndarray = np.sign((theirs * drawn).sum(axis=0))
    _close(drawn, theirs * signs)
    return signs


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


def test_standardised_vectors_are_drawn_as_scikit_learn_does(embeddings: Embeddings) -> None:
    """In the layer's own axes; what can be taken away is, and the points stay."""
    page = embeddings.page
    contextual, static = eager.word_vectors("minilm", _sentences(page), "apple")
    _choose(page, "normalise", "standardised")
    _wait_for_caption(embeddings, "each dimension scaled to variance 1")
    assert set(_drawn(page)) == {
        ("sense 0", "arrows"),
        ("sense 1", "arrows"),
        ("anchors", "markers"),
        ("sense 0", "markers"),
        ("sense 1", "markers"),
        ("static", "markers"),
    }
    page.locator("#embeddings-arrows").click()
    page.locator("#embeddings-anchors-shown").click()
    embeddings.wait_for(f"() => {_GROUPS}.join() === 'sense 0,sense 1,static'")
    scaler = StandardScaler().fit(np.concatenate([contextual[3], static]))
    fitted = scaler.transform(np.concatenate([contextual[3], static]))
    pca = PCA(2, svd_solver="full").fit(fitted)
    _same(embeddings.points(), pca.transform(scaler.transform(contextual[3])))


def test_all_that_is_drawn_in_one_basis_is_scikit_learns(embeddings: Embeddings) -> None:
    """Of unit length, after the layer moved: points, arrows, paths, anchors and other tokens."""
    page = embeddings.page
    sentences = _sentences(page)
    contextual, static = eager.word_vectors("minilm", sentences, "apple")
    _choose(page, "normalise", "unit length")
    _choose(page, "basis", "one for all layers")
    page.locator("#embeddings-paths").click()
    page.locator("#embeddings-others").click()
    for part in ("each scaled to length 1", "way through all layers", "Anchors and other tokens"):
        _wait_for_caption(embeddings, part)
    embeddings.slide("ArrowRight")
    embeddings.slide("ArrowRight")
    embeddings.wait_for_plot(layer=5)
    pca = PCA(2, svd_solver="full").fit(normalize(np.concatenate([*contextual, static])))
    signs = _same(embeddings.points(), pca.transform(normalize(contextual[5])))

    def theirs(vectors: np.ndarray) -> np.ndarray:
        placed: np.ndarray = pca.transform(normalize(vectors)) * signs
        return placed

    drawn = _drawn(page)
    _close(drawn["static", "markers"], theirs(static[:1]))
    _close(drawn["anchors", "markers"], theirs(_anchors(page, 5)))
    _close(drawn["others", "markers"], theirs(_other_tokens(sentences, 5)))
    for sense, first in enumerate((0, 6)):
        arrows = drawn[f"sense {sense}", "arrows"].reshape(6, 3, 2)  # start, end, gap
        paths = drawn[f"sense {sense}", "lines"].reshape(6, 8, 2)  # seven layers, gap
        assert np.isnan(arrows[:, 2]).all()
        assert np.isnan(paths[:, 7]).all()
        for row in range(6):
            ends = np.stack([static[first + row], contextual[5, first + row]])
            _close(arrows[row, :2], theirs(ends))
            _close(paths[row, :7], theirs(contextual[:, first + row]))


def _anchors(page: Page, layer: int) -> np.ndarray:
    """The anchors' vectors at a layer, then their static ones."""
    words = page.input_value("#embeddings-anchors").split(", ")
    read = [eager.word_vectors("minilm", [f"The word is {w}."], w.lower()) for w in words]
    return np.stack([*(states[layer, 0] for states, _ in read), *(rows[0] for _, rows in read)])


def _other_tokens(sentences: list[str], layer: int) -> np.ndarray:
    """All tokens' vectors but the word's and the special ones'."""
    left_out = ("[CLS]", "[SEP]", "apple")
    runs = [eager.run("minilm", sentence) for sentence in sentences]
    return np.stack(
        [run.hidden[layer, place] for run in runs for place, label in enumerate(run.labels) if label not in left_out]
    )


def test_the_fit_without_position_0_is_scikit_learns(page: Page) -> None:
    """Two occurrences are a text's first token of smollm2, which adds none before it."""
    sentences = [
        "apple pie is what we ate",
        "apple shares fell again",
        "they sold an apple at noon",
        "we saw the apple fall down",
        "she cut one apple in two",
        "he drew a red apple there",
    ]
    contextual, static = eager.word_vectors("smollm2", sentences, "apple")
    embeddings = Embeddings(page)
    lines = "%0A".join(f"a | {sentence}" for sentence in sentences)
    page.goto(f"/embeddings?model=smollm2&word=apple&layer=12&sentences={lines}")
    embeddings.wait_for_plot("apple", 12, "smollm2", FIRST_LOAD_MS)
    caption = page.locator("#embeddings-caption")
    expect(caption).to_contain_text("the first token of 2 sentences alone makes")
    for first in (0, 2):
        fitted = np.concatenate([contextual[12, first:], static[first:]]).astype(np.float64)
        pca = PCA(2, svd_solver="full").fit(fitted)
        _same(embeddings.points(), pca.transform(contextual[12].astype(np.float64)))
        if not first:
            page.locator("#embeddings-drop-first").click()
            expect(caption).to_contain_text("(2 at position 0 left out)")
            expect(caption).not_to_contain_text("the first token of")


def _as_deep_as_smollm2(folder: Path) -> Path:
    """A small random model of 30 layers, which reads 200 sentences in a few seconds."""
    tokenizer = byte_level()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=30,
        num_attention_heads=4,
        num_key_value_heads=2,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_200_sentences_play_over_all_layers_without_a_freeze(page: Page, tmp_path: Path) -> None:
    """With their paths, and every layer in turn; the longest task measured took 0.15 s."""
    model = _as_deep_as_smollm2(tmp_path / "deep")
    embeddings = Embeddings(page)
    page.goto(f"/embeddings?model={model}&word=apple&sentences=a | They ate an apple there.")
    embeddings.wait_for_plot("apple", model="deep", timeout_ms=FIRST_LOAD_MS)
    kinds = ("a | They ate a ripe apple,", "b | They sold new apple phones,")
    embeddings.type("apple", *(f"{kinds[n % 2]} {n}." for n in range(200)))
    embeddings.run()
    embeddings.wait_for_points(100, timeout_ms=60_000)
    _choose(page, "basis", "one for all layers")
    page.locator("#embeddings-paths").click()
    _wait_for_caption(embeddings, "way through all layers")
    assert _drawn(page)["sense 0", "lines"].shape == (100 * 32, 2)  # 31 layers and a gap
    embeddings.slide("Home")
    embeddings.wait_for_plot(layer=0)
    page.evaluate(_WATCH)
    page.locator("#embeddings-play").click()
    embeddings.wait_for_plot(layer=30, timeout_ms=60_000)
    seen = page.evaluate("window.watched")
    assert seen["layers"] == sorted(seen["layers"])
    assert {*seen["layers"], 0} == set(range(31))
    assert seen["supported"]
    assert max(seen["tasks"], default=0) < 1000  # milliseconds


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
    drawn = page.evaluate("Array.from(document.querySelector('#embeddings-scree .js-plotly-plot')._fullData[0].y)")
    ratios = 100 * shares.explained_variance_ratio_[: len(drawn)]
    np.testing.assert_allclose(drawn, ratios, atol=1e-3)
