"""The Embeddings page, end to end: its points are scikit-learn's PCA of the model's own vectors."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from sklearn.decomposition import PCA

from tests.browser import eager
from tests.browser.driving_embeddings import Embeddings


def _typed_rows(page: Page) -> list[tuple[str, str]]:
    """Senses and sentences as they stand in the editor."""
    lines = page.input_value("#embeddings-sentences").splitlines()
    return [(sense, sentence) for sense, sentence in (line.split(" | ") for line in lines)]


def _assert_is_pca(embeddings: Embeddings, sentences: list[str], word: str, layer: int) -> None:
    contextual, static = eager.word_vectors("minilm", sentences, word)
    reference = PCA(2, svd_solver="full").fit(np.concatenate([contextual[layer], static]))
    points, static_points = (
        reference.transform(vectors.astype(np.float64)) for vectors in (contextual[layer], static)
    )
    drawn, drawn_static = embeddings.points(), embeddings.traces()[-1].points
    assert drawn.shape == points.shape == (len(sentences), 2)
    assert drawn_static.shape == (1, 2)
    spread = np.abs(points).max()
    for component in range(2):
        sign = np.sign(drawn[:, component] @ points[:, component])
        np.testing.assert_allclose(sign * drawn[:, component], points[:, component], atol=1e-4 * spread)
        np.testing.assert_allclose(sign * drawn_static[0, component], static_points[0, component], atol=1e-4 * spread)
    for title, share in zip(embeddings.axis_titles(), reference.explained_variance_ratio_, strict=True):
        told = re.search(r"([\d.]+) ?%", title)
        assert told, title
        assert float(told[1]) == pytest.approx(100 * share, abs=0.051)


def test_the_words_read_at_each_layer(embeddings: Embeddings) -> None:
    """minilm has no head: the nearest static vectors are read, by numpy on the eager states."""
    page = embeddings.page
    sentences = [sentence for _, sentence in _typed_rows(page)]
    contextual, _ = eager.word_vectors("minilm", sentences, "apple")
    table, words = eager.vocabulary("minilm")
    table = table / np.linalg.norm(table, axis=1, keepdims=True)
    page.locator("#embeddings-mode").get_by_text("meaning", exact=True).click()
    drawn = """() => {
        const plot = document.querySelector('#embeddings-meaning-graph .js-plotly-plot');
        return plot?.data?.length > 2 && plot.data[1].text.map(row => row.map(cell =>
          cell.replace(/<[^>]*>/g, ''))); }"""
    embeddings.wait_for(drawn)
    for layer, row in enumerate(page.evaluate(drawn)):
        nearest = np.argsort(-(table @ contextual[layer][0]))[: len(row)]
        assert row == [words[index] for index in nearest]
    expect(page.locator("#embeddings-meaning-caption")).to_contain_text(
        "This checkpoint has no head that makes words of these states."
    )
    expect(page.locator("#embeddings-embeddings-part")).to_have_class("part hidden")


def test_where_position_enters(embeddings: Embeddings) -> None:
    embeddings.page.locator("#embeddings-mode").get_by_text("positions", exact=True).click()
    drawn = """() => {
        const plot = document.querySelector('#embeddings-positions-graph .js-plotly-plot');
        return plot?._fullData?.length > 4 && [0, 1, 255].map(other =>
          plot._fullData[0].z[3][other]); }"""
    embeddings.wait_for(drawn)
    rows = eager.position_rows("minilm")[::2]  # 512 positions are drawn as 256
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected = rows[[0, 1, 255]] @ rows[3]
    np.testing.assert_allclose(embeddings.page.evaluate(drawn), expected, atol=1e-5)
    expect(embeddings.page.locator("#embeddings-positions-caption")).to_contain_text(
        "static + position + segment, through the norm"
    )


def test_apple_opens_split_by_sense(embeddings: Embeddings) -> None:
    rows = _typed_rows(embeddings.page)
    assert len(rows) >= 8
    _assert_is_pca(embeddings, [sentence for _, sentence in rows], "apple", 3)
    *senses, static = embeddings.traces()
    assert [trace.name for trace in senses] == ["fruit", "company"]
    assert static.numbers == ["static"]
    assert len({trace.colour for trace in senses}) == len({trace.symbol for trace in senses}) == 2
    fruit, company = (trace.points for trace in senses)
    # In the plane the nearest of the other sense is farther than the farthest of one's own.
    across = np.linalg.norm(fruit[:, None] - company[None], axis=-1).min()
    spans = [np.linalg.norm(own[:, None] - own[None], axis=-1).max() for own in (fruit, company)]
    assert across > max(spans)
    expect(embeddings.page.locator("#embeddings-facts")).to_contain_text("separation by sense 0.")
    expect(embeddings.page.locator("#embeddings-caption")).to_contain_text("PCA")


def test_layer_slider_changes_the_plane(embeddings: Embeddings) -> None:
    sentences = [sentence for _, sentence in _typed_rows(embeddings.page)]
    embeddings.slide("ArrowRight")
    embeddings.wait_for_plot(layer=4)
    _assert_is_pca(embeddings, sentences, "apple", 4)
    embeddings.slide("End")
    embeddings.wait_for_plot(layer=6)
    _assert_is_pca(embeddings, sentences, "apple", 6)
    embeddings.slide("Home")
    embeddings.wait_for_plot(layer=0)
    _assert_is_pca(embeddings, sentences, "apple", 0)


def test_another_word_in_typed_sentences(embeddings: Embeddings, sentence: str) -> None:
    sentences = [
        f"They sat on the bank of the river near {sentence.lower()}",
        "The bank raised its interest rates again.",
        "We walked along the muddy bank in the evening.",
        "My bank charges a fee for every transfer.",
    ]
    senses = ("river", "money", "river", "money")
    embeddings.type("bank", *(f"{s} | {t}" for s, t in zip(senses, sentences, strict=True)))
    embeddings.run()
    embeddings.wait_for_plot("bank", 3)
    assert [trace.name for trace in embeddings.traces()][:2] == ["river", "money"]
    _assert_is_pca(embeddings, sentences, "bank", 3)


def test_hover_shows_the_sentence_and_its_sense(embeddings: Embeddings) -> None:
    x, y = embeddings.points()[5]
    label = embeddings.hover("embeddings-plot", x, y, "^6 · fruit")
    assert "In the garden the ripe fruit fell, and one apple hit" in label.replace("\n", " ")


def test_a_sentence_without_the_word_is_said(embeddings: Embeddings) -> None:
    embeddings.type(
        "apple",
        "fruit | He ate a green apple.",
        "fruit | He ate nothing at all, not even pineapple.",
        "company | The apple phone is new.",
    )
    embeddings.run()
    remarks = embeddings.page.locator("#embeddings-remarks")
    expect(remarks).to_contain_text("sentence 2 does not hold “apple” and is left out")
    embeddings.wait_for_points(1)
    assert len(embeddings.points()) == 2
    assert [trace.numbers for trace in embeddings.traces()[:2]] == [["1"], ["3"]]


def test_a_word_cut_in_pieces_is_said_and_is_their_mean(embeddings: Embeddings) -> None:
    sentences = [
        "She studies interpretability of networks.",
        "Good interpretability needs good pictures.",
        "We value interpretability, and so do they.",
    ]
    pieces = []
    contextual, static = [], []
    for sentence in sentences:
        made = eager.run("minilm", sentence)
        start = sentence.index("interpretability")
        inside = [i for i, (a, b) in enumerate(made.offsets) if start <= a < b <= start + 16]
        pieces.append(len(inside))
        contextual.append(made.hidden[3, inside].mean(axis=0))
        static.append(made.rows[inside].mean(axis=0))
    assert min(pieces) > 1
    embeddings.type("interpretability", *(f"any | {sentence}" for sentence in sentences))
    embeddings.run()
    embeddings.wait_for_plot("interpretability", 3)
    expect(embeddings.page.locator("#embeddings-remarks")).to_contain_text(
        f"“interpretability” is cut into {pieces[0]} pieces in 3 sentences"
    )
    points = PCA(2, svd_solver="full").fit_transform(np.stack([*contextual, *static]))[:3]
    np.testing.assert_allclose(np.abs(embeddings.points()), np.abs(points), atol=1e-4)


def test_a_word_in_no_sentence_keeps_the_old_plot(embeddings: Embeddings) -> None:
    before = embeddings.points()
    embeddings.type("zebra")
    embeddings.run()
    embeddings.expect_error("“zebra” is in none of the 12 sentences")
    np.testing.assert_array_equal(embeddings.points(), before)
    assert "apple" in embeddings.title()
    embeddings.type("the")
    embeddings.run()
    embeddings.wait_for_plot("the")
    expect(embeddings.error).to_have_count(0)
