"""What holds at every size: nothing scrolls sideways, nothing is cut off, the page stays small."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS, App, assert_fits, resize
from tests.browser.driving_embeddings import Embeddings
from tests.browser.driving_heads import Heads

LONG_TEXT = "The keys that the man who left early lost are on the table. " * 36
SIZES = ((1440, 900), (1024, 700), (390, 844))


def _assert_fits_every_size(page: Page) -> None:
    for width, height in (*SIZES, SIZES[0]):
        resize(page, width, height)
        assert_fits(page)


def test_nothing_scrolls_sideways(page: Page) -> None:
    heads = Heads(page).open()
    _assert_fits_every_size(page)
    heads.type("Unbelievablylongwordwithoutanyspaceinit" * 6, pair="The dog slept.")
    heads.run()
    heads.wait_for_address(pair="The dog slept.")
    _assert_fits_every_size(page)
    heads.choose_model("nobody/" + "long" * 20)
    heads.expect_error("nobody/long")
    _assert_fits_every_size(page)
    Embeddings(page).open()
    _assert_fits_every_size(page)


def test_a_page_fits_its_window(page: Page) -> None:
    """From 1024 up a result, its caption and the save bar are in view without scrolling."""
    shown: App
    for shown in (Heads(page), Embeddings(page)):
        shown.open()
        for width, height in SIZES[:2]:
            resize(page, width, height)
            for selector in (f"#{shown.graph}", f"#{shown.name}-caption", "#save-button"):
                box = page.locator(selector).bounding_box()
                assert box is not None
                assert box["y"] + box["height"] <= height
            graph = page.locator(f"#{shown.graph}").bounding_box()
            assert graph is not None
            assert graph["height"] > 0.4 * height


def test_a_long_text_keeps_the_page_small(page: Page) -> None:
    labels = eager.run("minilm", LONG_TEXT).labels
    assert 450 < len(labels) <= 512
    heads = Heads(page).open(text=LONG_TEXT)
    heads.click_head(2, 2)
    heads.wait_for_choice(2, 2)
    assert heads.count_nodes() < 5_000
    assert_fits(page)


def test_a_deep_model_keeps_the_page_small(page: Page) -> None:
    eager.run("smollm2", "Loaded.")
    heads = Heads(page).open(FIRST_LOAD_MS, model="smollm2", text=LONG_TEXT)
    heads.wait_for_choice(0, 0)
    assert heads.count_nodes() < 5_000
