"""The address holds what is on the screen: who opens it sees the same."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explorer.text.example_sets import OPENING_TEXT
from tests.browser import eager
from tests.browser.conftest import OpenPage
from tests.browser.driving_embeddings import Embeddings
from tests.browser.driving_heads import Heads

DARK, LIGHT = "rgb(12, 15, 19)", "rgb(243, 245, 248)"


def _background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_opening_state_leaves_the_address_short(heads: Heads) -> None:
    heads.click_head(0, 0)
    assert set(heads.address()) <= {"theme"}


@pytest.mark.parametrize("receiver", ["light", "dark"])
def test_heads_reopen_as_sent(heads: Heads, open_page: OpenPage, sentence: str, receiver: str) -> None:
    pair = "Über & über: 50% <b>, ünïcode 🕊️?"
    heads.type(sentence, pair=pair)
    heads.run()
    heads.wait_for_address(text=sentence, pair=pair)
    heads.click_head(3, 5)
    heads.page.click("#theme-toggle")
    heads.wait_for("() => document.documentElement.dataset.theme === 'dark'")
    heads.wait_for_address(text=sentence, pair=pair, layer="3", head="5", theme="dark")
    sent, address = heads.drawn(), heads.page.url

    there = Heads(open_page(scheme=receiver))
    there.page.goto(address)
    there.wait_for_choice(3, 5)
    there.wait_for_address(text=sentence, pair=pair, layer="3", head="5")
    opened = there.drawn()
    assert (opened.title, opened.keys, opened.paper) == (sent.title, sent.keys, sent.paper)
    np.testing.assert_array_equal(opened.weights, sent.weights)
    expect(there.page.locator("#text-input")).to_have_value(sentence)
    expect(there.page.locator("#pair-input")).to_have_value(pair)
    expect(there.page.locator("#pair-input")).to_be_visible()
    assert _background(there.page) == DARK


def test_light_sent_to_a_reader_who_likes_dark(heads: Heads, open_page: OpenPage) -> None:
    heads.page.click("#theme-toggle")
    heads.wait_for_address(theme="dark")
    heads.page.click("#theme-toggle")
    heads.wait_for_address(theme="light")
    there = Heads(open_page(scheme="dark"))
    there.page.goto(heads.page.url)
    there.wait_for_map()
    assert _background(there.page) == LIGHT


@pytest.mark.parametrize("layer", [0, 5])
def test_embeddings_reopen_as_sent(embeddings: Embeddings, open_page: OpenPage, layer: int) -> None:
    lines = ("river | The bank of the river.", "money | My bank charges a fee.", "No sense | in it")
    embeddings.type("bank", *lines)
    embeddings.run()
    embeddings.wait_for_plot("bank")
    embeddings.slide("Home")
    for _ in range(layer):
        embeddings.slide("ArrowRight")
    embeddings.wait_for_plot("bank", layer)
    embeddings.wait_for_address(word="bank", sentences="\n".join(lines))
    embeddings.wait_for("layer => new URLSearchParams(location.search).get('layer') !== '6'", layer)
    there = Embeddings(open_page())
    there.page.goto(embeddings.page.url)
    there.wait_for_plot("bank", layer)
    np.testing.assert_allclose(there.points(), embeddings.points(), rtol=1e-4, atol=1e-4)
    expect(there.page.locator("#embeddings-sentences")).to_have_value("\n".join(lines))
    expect(there.page.locator("#embeddings-layer [role=slider]")).to_have_attribute("aria-valuenow", str(layer))


def test_embeddings_of_another_model_reopen_at_their_layer(page: Page) -> None:
    eager.run("smollm2", "Loaded.")
    embeddings = Embeddings(page)
    page.goto("/embeddings?model=smollm2&layer=21")
    embeddings.wait_for_plot("apple", 21, "smollm2")
    expect(page.locator("#embeddings-layer [role=slider]")).to_have_attribute("aria-valuenow", "21")
    embeddings.wait_for_address(layer="21", model="smollm2")


def test_embeddings_layer_out_of_range_is_brought_back(page: Page) -> None:
    embeddings = Embeddings(page)
    page.goto("/embeddings?layer=99")
    embeddings.wait_for_plot("apple", 6)
    expect(page.locator("#embeddings-layer [role=slider]")).to_have_attribute("aria-valuenow", "6")


def test_tabs_keep_what_was_made(heads: Heads, sentence: str) -> None:
    heads.type(sentence)
    heads.run()
    heads.wait_for_map(keys=eager.run("minilm", sentence).labels)
    heads.page.get_by_role("link", name="Embeddings").click()
    embeddings = Embeddings(heads.page)
    embeddings.wait_until_drawn()
    expect(heads.page.locator("#heads-page")).to_be_hidden()
    heads.page.get_by_role("link", name="Heads").click()
    expect(heads.page.locator("#embeddings-page")).to_be_hidden()
    heads.wait_for_address(text=sentence)
    assert heads.drawn().keys == eager.run("minilm", sentence).labels
    heads.page.go_back()
    expect(heads.page.locator("#embeddings-page")).to_be_visible()


def test_share_button_copies_the_address(heads: Heads, sentence: str) -> None:
    heads.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    heads.type(sentence)
    heads.run()
    heads.wait_for_address(text=sentence)
    heads.page.click("#share-button")
    expect(heads.page.locator("#share-button")).to_have_text("Copied")
    assert heads.page.evaluate("navigator.clipboard.readText()") == heads.page.url


def test_theme_changes_page_and_figures(page: Page) -> None:
    heads = Heads(page).open()
    assert _background(page) == LIGHT
    light = heads.drawn()
    page.click("#theme-toggle")
    heads.wait_for(
        """paper => document.querySelector('#heads-heatmap .js-plotly-plot')
        ._fullLayout.paper_bgcolor !== paper""",
        light.paper,
    )
    dark = heads.drawn()
    assert _background(page) == DARK
    np.testing.assert_array_equal(dark.weights, light.weights)
    page.reload()
    heads.wait_until_drawn()
    assert _background(page) == DARK
    assert heads.drawn().paper == dark.paper
    embeddings = Embeddings(page).open()
    assert (
        page.evaluate("document.querySelector('#embeddings-plot .js-plotly-plot')._fullLayout.paper_bgcolor")
        == dark.paper
    )
    assert len(embeddings.traces()) == 3


def test_another_address_opens_in_the_same_page(heads: Heads) -> None:
    """Whether its text is the same or another; the scripts are not loaded again, and Back leads back."""
    page, text = heads.page, "A bank by the river is no bank for money."
    page.evaluate("window.marker = true")
    page.evaluate("openAddress('/?layer=3&head=7&theme=dark')")
    heads.wait_for_choice(3, 7)
    np.testing.assert_allclose(heads.drawn().weights, eager.run("minilm", OPENING_TEXT).attention[3, 7], atol=1e-5)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("link => openAddress(link)", f"/?{urlencode({'text': text, 'layer': 1})}")
    expected = eager.run("minilm", text)
    heads.wait_for_map(1, 0, expected.labels)
    heads.wait_for_choice(1, 0)
    np.testing.assert_allclose(heads.drawn().weights, expected.attention[1, 0], atol=1e-5)
    page.evaluate("openAddress('/embeddings?word=apple&layer=2')")
    Embeddings(page).wait_for_plot("apple", 2)
    page.go_back()
    heads.wait_for_map(1, 0, expected.labels)
    page.go_back()
    heads.wait_for_choice(3, 7)
    assert page.evaluate("window.marker") is True


def test_an_address_with_a_bad_setting_says_so_in_the_same_page(heads: Heads) -> None:
    heads.page.evaluate("openAddress('/?layer=2&strange=1')")
    heads.wait_for_choice(2, 0)
    expect(heads.page.locator("#link-message")).to_contain_text("strange")
    heads.page.evaluate("openAddress('/?layer=1')")
    heads.wait_for_choice(1, 0)
    expect(heads.page.locator("#link-message")).to_be_empty()
