"""Whatever is typed: a result or one clear line, the old picture stays, and the next run works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_embeddings import Embeddings
from tests.browser.driving_heads import Heads
from tests.vocabularies import EMOJI

UNUSUAL = (
    "bell\x07 and null\x00 and escape\x1b[31m and\u200b zero width",
    "👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽 thumb",
    "שלום עולם and مرحبا بالعالم and \u202eturned\u202c back",
    "日本語とEnglishと한국어 и русский",
    "\"quotes\" & 'apostrophes' & &amp; &lt;b&gt; %{x} {{braces}} \\u0041 $x^2$",
)
_READS = """count => document.querySelector('#heads-heatmap .js-plotly-plot')
  ._fullLayout.meta?.whole[0] === count"""
MARKUP = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"


def _refused(heads: Heads, *tells: str) -> None:
    """Press Run: one line says what was wrong, and the map on the screen stays."""
    before = heads.drawn()
    heads.run()
    heads.expect_error(*tells)
    after = heads.drawn()
    assert after.title == before.title
    assert after.keys == before.keys
    np.testing.assert_array_equal(after.weights, before.weights)


def _accepted(heads: Heads, text: str, model: str = "minilm") -> None:
    """A good text after all that: its map is drawn and no message is left."""
    expected = eager.run(model, text)
    heads.type(text)
    heads.run()
    heads.wait_for_map(keys=expected.labels)
    drawn = heads.drawn()
    np.testing.assert_allclose(np.nan_to_num(drawn.weights), expected.attention[drawn.layer, drawn.head], atol=1e-5)
    expect(heads.error).to_have_count(0)


def test_texts_that_cannot_be_read(heads: Heads, sentence: str) -> None:
    heads.type("")
    _refused(heads, "text is empty")
    heads.type(" \n\t \u00a0 ")
    _refused(heads, "text is empty")
    long_text = "attention is all you need " * 3_900
    assert len(long_text) > 100_000
    heads.type(long_text)
    _refused(heads, f"{5 * 3_900 + 2:,} tokens", "at most 512")
    _accepted(heads, sentence)


def test_a_pair_with_an_empty_half(heads: Heads, sentence: str) -> None:
    heads.type("", pair="The dog slept.")
    _refused(heads, "text is empty")
    heads.type(sentence, pair="   ")
    _refused(heads, "second text is empty")
    # Nothing at all in the second field is no pair.
    heads.type(sentence, pair="")
    _accepted(heads, sentence)


@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_one_token(heads: Heads, model: str) -> None:
    expected = eager.run(model, "Hello")
    heads.type("Hello")
    heads.choose_model(model)
    heads.run()
    heads.wait_for_map(keys=expected.labels)
    drawn = heads.drawn()
    np.testing.assert_allclose(np.nan_to_num(drawn.weights), expected.attention[0, 0], atol=1e-5)
    place = len(expected.labels) // 2
    assert heads.hover_cell(place, place, expected.labels) == pytest.approx(
        expected.attention[0, 0, place, place], abs=6e-5
    )


def test_unusual_characters(heads: Heads, sentence: str) -> None:
    for model in ("minilm", "smollm2"):
        heads.choose_model(model)
        for text in UNUSUAL:
            expected = eager.run(model, text)
            count = len(expected.labels)
            heads.type(text)
            heads.run()
            heads.wait_for(
                """([count, model]) => { const layout = document.querySelector(
                '#heads-heatmap .js-plotly-plot')._fullLayout;
                return layout.xaxis2.ticktext.length === count
                  && layout.title.text.startsWith(model); }""",
                [count, model],
            )
            drawn = heads.drawn()
            np.testing.assert_allclose(np.nan_to_num(drawn.weights), expected.attention[0, 0], atol=1e-5)
            assert all(drawn.keys)
            assert all(label.isprintable() or "\u200d" in label for label in drawn.keys)
            heads.hover("heads-heatmap", 1, count - 1, "weight")
    heads.choose_model("minilm")
    _accepted(heads, sentence)


def test_special_tokens_only(heads: Heads, sentence: str) -> None:
    text = "[CLS] [SEP] [MASK]"
    _accepted(heads, text)
    before = heads.drawn()
    heads.page.locator("#heads-special-field label").first.click()
    expect(heads.page.locator("#heads-caption .error")).to_contain_text("Only special tokens are left")
    assert heads.drawn().keys == before.keys
    heads.page.locator("#heads-special-field label").first.click()
    _accepted(heads, sentence)


def test_one_token_a_thousand_times_and_emoji(heads: Heads) -> None:
    """Too many for one model, which shows its beginning; all of it for the other."""
    same = " ".join(["the"] * 1_000)
    heads.type(same)
    _refused(heads, "1,002 tokens", "at most 512")
    heads.page.get_by_role("button", name="Show the first 512 tokens").click()
    expected = eager.run("minilm", same, without=range(511, 1_001))
    heads.wait_for_map(keys=expected.labels)
    weights = expected.attention[0, 0]
    np.testing.assert_allclose(heads.drawn().weights, weights, atol=weights.max() / 250)
    heads.choose_model("smollm2")
    heads.wait_for(_READS, 1_000, FIRST_LOAD_MS)
    assert heads.count_nodes() <= 5_000
    some = EMOJI[::8]
    count = len(eager.run("smollm2", some).labels)
    assert count > 300
    heads.type(some)
    heads.run()
    heads.wait_for(_READS, count)
    heads.hover("heads-heatmap", 1, count - 1, "weight")


def test_markup_in_a_text_is_text(heads: Heads) -> None:
    expected = eager.run("minilm", MARKUP)
    heads.type(MARKUP, pair=MARKUP)
    heads.run()
    heads.wait_for_map(keys=eager.run("minilm", MARKUP, MARKUP).labels)
    heads.type(MARKUP, pair="")
    heads.run()
    heads.wait_for_map(keys=expected.labels)
    drawn = heads.drawn()
    assert "<·1" in drawn.keys
    for place in (1, 3, 7):
        heads.hover_cell(place, place, expected.labels)
    heads.assert_nothing_was_run()


def test_markup_in_one_token_is_text(heads: Heads) -> None:
    """A word-piece vocabulary knows no markup; byte-level tokens can be ``<b`` or ``</``."""
    text = "a <b>bold</b> <script>window.hacked=1</script> </p> &amp; &lt;"
    expected = eager.run("smollm2", text)
    assert any(len(label) > 1 and "<" in label for label in expected.labels)
    heads.type(text)
    heads.choose_model("smollm2")
    heads.wait_for_map(keys=expected.labels)
    place = next(i for i, label in enumerate(expected.labels) if len(label) > 1 and "<" in label)
    heads.hover_cell(len(expected.labels) - 1, place, expected.labels)
    heads.assert_nothing_was_run()


def test_unknown_models(heads: Heads, sentence: str) -> None:
    before = heads.drawn()
    for name in ("no-such-model", "nobody/no-such-model", MARKUP, "../../etc", "a b c", "[CLS]"):
        heads.choose_model(name)
        heads.expect_error(name[:10])
        np.testing.assert_array_equal(heads.drawn().weights, before.weights)
    heads.assert_nothing_was_run()
    heads.choose_model("minilm")
    _accepted(heads, sentence)


def test_folders_that_hold_no_model(heads: Heads, sentence: str, tmp_path: Path) -> None:
    heads.choose_model(str(tmp_path / "nowhere"))
    heads.expect_error("no folder")
    (tmp_path / "empty").mkdir()
    heads.choose_model(str(tmp_path / "empty"))
    heads.expect_error("config.json")
    heads.choose_model("minilm")
    _accepted(heads, sentence)


def test_no_model_at_all(heads: Heads, sentence: str) -> None:
    heads.choose_model("")
    heads.run()
    heads.expect_error("no model is named")
    heads.choose_model("minilm")
    _accepted(heads, sentence)


def test_bad_addresses(heads: Heads) -> None:
    """What a hand-written address holds is brought into range or left out."""
    for query in (
        "layer=-1&head=x&theme=purple&stack=cross",
        "layer=1e9&head=999999999999&theme=",
        "layer=&head=&unknown=1&layer=2&layer=3",
        "text=%F0%9F%95%8A%00%ff",
    ):
        heads.page.goto(f"/?{query}")
        heads.wait_for_map()
        expect(heads.error).to_have_count(0)
    heads.page.goto("/?text=")
    heads.expect_error("text is empty")


def test_sentences_and_words_that_cannot_be_read(embeddings: Embeddings) -> None:
    before = embeddings.points()
    for word, lines, tells in (
        ("", (), "word is empty"),
        ("  ", (), "word is empty"),
        ("apple", (" ",), "no sentence"),
        ("apple", ("fruit | ",), "sentence 1"),
        ("apple", ("a | An apple.", "b | \u200b"), "sentence 2"),
        ("apple", ("a | An apple.", "b | Two.", "c | " + "apple " * 600), "sentence 3"),
        ("apple", tuple("An apple." for _ in range(501)), "501 sentences"),
        ("zebra", ("An apple.",), "in none"),
        (MARKUP, ("An apple.",), "in none"),
        ("[", ("An apple.",), "in none"),
        ("a(ple", ("An apple.",), "in none"),
    ):
        embeddings.type(word, *lines) if lines else embeddings.type(word)
        embeddings.run()
        embeddings.expect_error(tells)
        np.testing.assert_array_equal(embeddings.points(), before)
    embeddings.assert_nothing_was_run()
    embeddings.type("apple", "An apple a day.", "The apple phone.")
    embeddings.run()
    embeddings.wait_for("() => !document.querySelector('#embeddings-message .error')")
    embeddings.wait_for_points(2)


def test_markup_in_senses_sentences_and_words_is_text(embeddings: Embeddings) -> None:
    embeddings.type(
        "apple",
        f"{MARKUP} | An apple {MARKUP} on the tree.",
        f"<b>bold</b> | Another apple %{{x}} {MARKUP}",
        "a & b | A third apple, \"quoted\" & 'quoted'.",
    )
    embeddings.run()
    embeddings.wait_for(
        """() => document.querySelector('#embeddings-plot .js-plotly-plot')
        ._fullData.some(trace => trace.name.includes('bold'))"""
    )
    names = [trace.name for trace in embeddings.traces()]
    assert names == [MARKUP, "<b>bold</b>", "a & b", "static vector"]
    for number, (x, y) in enumerate(embeddings.points(), start=1):
        label = embeddings.hover("embeddings-plot", x, y, f"^{number} · ")
        assert names[number - 1] in label.split("\n")[0]
        if number == 2:
            assert "%{x}" in label
    legend = embeddings.page.locator("#embeddings-plot .legendtext").all_text_contents()
    assert "<b>bold</b>" in legend
    embeddings.assert_nothing_was_run()
    embeddings.type("<b>", "tag | This is <b> in it.", "tag | And <b> again here.")
    embeddings.run()
    embeddings.wait_for_plot("<b>")
    x, y = embeddings.traces()[-1].points[0]
    assert "“<b>”" in embeddings.hover("embeddings-plot", x, y, "static vector of")
    embeddings.assert_nothing_was_run()


def test_one_sentence_is_enough(embeddings: Embeddings) -> None:
    embeddings.type("apple", "One apple only.")
    embeddings.run()
    embeddings.wait_for_points(1)
    expect(embeddings.error).to_have_count(0)
    expect(embeddings.page.locator("#embeddings-facts")).to_contain_text("needs two senses")
