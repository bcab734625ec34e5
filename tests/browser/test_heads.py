"""The Heads page, end to end: what is drawn is what the eager model says."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import Page, Route, expect

from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_heads import Heads

MINILM = (6, 12)
SMOLLM2 = (30, 9)
OPENING_TEXT = "She ate an apple while Apple announced a phone."


def test_opens_on_a_result(heads: Heads) -> None:
    drawn = heads.drawn()
    expected = eager.run("minilm", OPENING_TEXT)
    assert (drawn.layer, drawn.head) == (0, 0)
    assert drawn.keys == drawn.queries == expected.labels
    assert "apple·1" in drawn.keys
    np.testing.assert_allclose(drawn.weights, expected.attention[0, 0], atol=1e-5)
    assert not drawn.hatched.any()
    expect(heads.page.locator("#heads-caption")).to_contain_text("layer 0, head 0")
    expect(heads.page.locator("#text-input")).to_have_value(OPENING_TEXT)
    expect(heads.page.locator("#model-facts")).to_contain_text("cpu · float32")


def test_clicked_head_of_a_new_sentence_equals_eager_attention(heads: Heads, sentence: str) -> None:
    expected = eager.run("minilm", sentence)
    heads.type(sentence)
    heads.run()
    heads.wait_for_map(0, 0, expected.labels)
    heads.click_head(4, 7)
    heads.wait_for_choice(4, 7)
    drawn = heads.drawn()
    assert drawn.queries == drawn.keys == expected.labels
    np.testing.assert_allclose(drawn.weights, expected.attention[4, 7], atol=1e-5)
    np.testing.assert_allclose(drawn.weights.sum(axis=1), 1, atol=1e-5)


def test_causal_model_equals_eager_attention_and_is_hatched(heads: Heads, sentence: str) -> None:
    expected = eager.run("smollm2", sentence)
    heads.type(sentence)
    heads.choose_model("smollm2")
    heads.wait_for_map(0, 0, expected.labels, FIRST_LOAD_MS)
    heads.click_head(17, 5)
    heads.wait_for_choice(17, 5)
    # Nine heads take the whole width, though the model before had twelve.
    shown = heads.page.evaluate("document.querySelector('#heads-overview .js-plotly-plot')._fullLayout.xaxis.range")
    assert shown == [-0.5, 8.5]
    drawn = heads.drawn()
    later = np.triu(np.ones(drawn.weights.shape, dtype=bool), 1)
    assert drawn.queries == drawn.keys == expected.labels
    assert later.any()
    np.testing.assert_array_equal(drawn.hatched, later)
    np.testing.assert_array_equal(np.isnan(drawn.weights), later)
    np.testing.assert_allclose(np.where(later, 0, drawn.weights), expected.attention[17, 5], atol=1e-5)
    expect(heads.page.locator("#heads-caption")).to_contain_text("causal mask")


def test_a_pair_of_texts_equals_eager_attention(heads: Heads, sentence: str) -> None:
    expected = eager.run("minilm", sentence, "The dog slept.")
    heads.type(sentence, pair="The dog slept.")
    heads.run()
    heads.wait_for_map(keys=expected.labels)
    assert expected.labels.count("[SEP]") == 2
    np.testing.assert_allclose(heads.drawn().weights, expected.attention[0, 0], atol=1e-5)


def test_every_way_to_choose_a_head_agrees(heads: Heads) -> None:
    page = heads.page
    heads.click_head(2, 9)
    heads.wait_for_choice(2, 9)
    page.fill("#heads-layer", "5")
    heads.wait_for_choice(5, 9)
    page.fill("#heads-head", "0")
    heads.wait_for_choice(5, 0)
    heads.click_head(3, 3)
    heads.wait_for_choice(3, 3)
    # Two clicks quickly one after the other are no double click.
    heads.click_head(3, 4)
    heads.click_head(3, 5)
    heads.wait_for_choice(3, 5)
    expected = eager.run("minilm", OPENING_TEXT)
    np.testing.assert_allclose(heads.drawn().weights, expected.attention[3, 5], atol=1e-5)


def test_arrow_keys_move_between_heads(heads: Heads) -> None:
    press = heads.page.keyboard.press
    # The text field has the focus: its arrows move the cursor, not the head.
    heads.page.focus("#text-input")
    press("ArrowRight")
    heads.click_head(1, 1)
    heads.wait_for_choice(1, 1)
    press("ArrowRight")
    heads.wait_for_choice(1, 2)
    press("ArrowDown")
    heads.wait_for_choice(2, 2)
    press("ArrowLeft")
    press("ArrowLeft")
    heads.wait_for_choice(2, 0)
    press("ArrowLeft")  # there is none before the first
    press("ArrowUp")
    heads.wait_for_choice(1, 0)


def test_keyboard_runs_and_lists_its_keys(heads: Heads, sentence: str) -> None:
    heads.type(sentence)
    heads.page.keyboard.press("Control+Enter")
    heads.wait_for_map(keys=eager.run("minilm", sentence).labels)
    heads.click_head(0, 1)
    heads.wait_for_choice(0, 1)
    heads.page.keyboard.press("?")
    expect(heads.page.get_by_text("run the model on what is typed")).to_be_visible()


def test_a_smaller_model_keeps_the_choice_within_its_layers_and_says_so(page: Page) -> None:
    eager.run("smollm2", OPENING_TEXT)
    heads = Heads(page).open(FIRST_LOAD_MS, model="smollm2", layer=20, head=8)
    heads.wait_for_choice(20, 8)
    heads.choose_model("minilm")
    heads.wait_for_choice(5, 8)
    note = page.locator("#heads-note")
    expect(note).to_contain_text("no layer 20")
    expect(note).to_contain_text("layer 5, head 8 is shown")
    heads.click_head(1, 1)
    heads.wait_for_choice(1, 1)


def test_an_address_with_a_head_that_is_not_there_says_so(page: Page) -> None:
    heads = Heads(page).open(layer=99, head=40)
    heads.wait_for_choice(5, 11)
    expect(page.locator("#heads-note")).to_contain_text("no layer 99, head 40")
    np.testing.assert_allclose(heads.drawn().weights, eager.run("minilm", OPENING_TEXT).attention[5, 11], atol=1e-5)


def test_a_click_during_a_run_is_kept(heads: Heads, sentence: str) -> None:
    """The picture of all heads comes late, and with the frame of before the click."""
    page, expected = heads.page, eager.run("minilm", sentence)
    picture = """() => document.querySelector('#heads-overview .js-plotly-plot')
        .layout.images[0].source"""
    held: list[Route] = []
    holding = True

    def hold(route: Route) -> None:
        if holding and "heads-overview.figure" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    before = page.evaluate(picture)
    page.route("**/_dash-update-component*", hold)
    heads.type(sentence)
    heads.run()
    heads.wait_for_map(0, 0, expected.labels)
    heads.click_head(4, 7)
    heads.wait_for_map(4, 7, expected.labels)
    holding = False
    assert held
    for route in held:
        route.continue_()
    heads.wait_for(f"before => ({picture})() !== before", before)
    heads.wait_for_choice(4, 7)


def test_a_click_that_plotly_overlooks_is_kept(heads: Heads) -> None:
    """It forgets what the mouse is on as it draws, and looks no more than every 50 ms."""
    page = heads.page
    x, y = heads.place("heads-overview", 8, 3)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(
        """([clientX, clientY]) => {
          const plot = document.querySelector('#heads-overview .js-plotly-plot');
          const moved = new MouseEvent('mousemove', { clientX, clientY });
          Plotly.Fx.hover(plot, moved, 'xy');
          Plotly.Fx.hover(plot, moved, 'xy');
          plot._hoverdata = undefined;
          const released = new MouseEvent('mouseup', { clientX, clientY, bubbles: true });
          document.querySelector('.dragcover').dispatchEvent(released);
        }""",
        [x, y],
    )
    heads.wait_for_choice(3, 8)


def test_hover_tells_query_key_and_weight(heads: Heads) -> None:
    expected = eager.run("minilm", OPENING_TEXT)
    heads.click_head(3, 8)
    heads.wait_for_choice(3, 8)
    for query, key in ((4, 9), (0, 11), (11, 0)):
        weight = heads.hover_cell(query, key, expected.labels)
        assert abs(weight - expected.attention[3, 8, query, key]) <= 5e-5 + 1e-5


def test_switches_change_the_map_and_the_caption(page: Page) -> None:
    text = "Unbelievably transformative tokenisers."
    expected = eager.run("minilm", text)
    assert len(expected.labels) > 6  # the words are cut in pieces
    heads = Heads(page).open(text=text, layer=1, head=8)
    caption = page.locator("#heads-caption")
    page.get_by_label("words", exact=True).check(force=True)
    heads.wait_for_map(1, 8, ["[CLS]", "Unbelievably", "transformative", "tokenisers", ".", "[SEP]"])
    expect(caption).to_contain_text("merged to words")
    np.testing.assert_allclose(heads.drawn().weights.sum(axis=1), 1, atol=1e-5)
    page.get_by_label("special tokens").uncheck(force=True)
    heads.wait_for_map(1, 8, ["Unbelievably", "transformative", "tokenisers", "."])
    expect(caption).to_contain_text("not renormalised")
    page.get_by_label("log colours").check(force=True)
    expect(caption).to_contain_text("Logarithmic")


def test_the_newest_run_wins(heads: Heads, sentence: str) -> None:
    """A second Run while the first is on its way: what was asked for last is shown."""
    long_text = "The keys that the man who left early lost are on the table. " * 80
    heads.type(long_text)
    heads.choose_model("smollm2")
    heads.page.locator("#heads-message .working").wait_for(timeout=20_000)
    heads.type(sentence)
    heads.run()
    expected = eager.run("smollm2", sentence)
    heads.wait_for_map(0, 0, expected.labels, FIRST_LOAD_MS)
    np.testing.assert_allclose(np.nan_to_num(heads.drawn().weights), expected.attention[0, 0], atol=1e-5)
    expect(heads.page.locator("#heads-message")).to_be_empty()
