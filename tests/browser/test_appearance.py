"""What holds at every size: nothing scrolls sideways, nothing is cut off, the page stays small."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import eager
from tests.browser.conftest import OpenPage
from tests.browser.driving import FIRST_LOAD_MS, App
from tests.browser.driving_embeddings import Embeddings
from tests.browser.driving_heads import Heads

LONG_TEXT = "The keys that the man who left early lost are on the table. " * 36

_OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const wide = document.documentElement.scrollWidth - width;
  const out = Array.from(document.querySelectorAll('button, input, textarea, a, .panel, .caption'))
    .filter(node => node.offsetParent)
    .map(node => [node.id || node.className, node.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.right > width + 1 || box.left < -1))
    .map(([name, box]) => `${name} ${Math.round(box.left)}–${Math.round(box.right)}`);
  return [wide, out];
}"""


def _assert_fits(page: Page) -> None:
    sideways, outside = page.evaluate(_OVERFLOW)
    assert sideways <= 0
    assert outside == []


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 700), (390, 844)])
def test_nothing_scrolls_sideways(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(width, height)
    heads = Heads(page).open()
    _assert_fits(page)
    heads.type("Unbelievablylongwordwithoutanyspaceinit" * 6, pair="The dog slept.")
    heads.run()
    heads.wait_for_address(pair="The dog slept.")
    _assert_fits(page)
    heads.choose_model("nobody/" + "long" * 20)
    heads.expect_error("nobody/long")
    _assert_fits(page)
    Embeddings(page).open()
    _assert_fits(page)


@pytest.mark.parametrize("size", [(1440, 900), (1024, 700)])
def test_a_page_fits_its_window(open_page: OpenPage, size: tuple[int, int]) -> None:
    """From 1024 up a result, its caption and the save bar are in view without scrolling."""
    page = open_page(*size)
    shown: App
    for shown in (Heads(page), Embeddings(page)):
        shown.open()
        for selector in (f"#{shown.graph}", f"#{shown.name}-caption", "#save-button"):
            box = page.locator(selector).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= size[1]
        graph = page.locator(f"#{shown.graph}").bounding_box()
        assert graph is not None
        assert graph["height"] > 0.4 * size[1]


def test_a_long_text_keeps_the_page_small(page: Page) -> None:
    labels = eager.run("minilm", LONG_TEXT).labels
    assert 450 < len(labels) <= 512
    heads = Heads(page).open(text=LONG_TEXT)
    heads.click_head(2, 2)
    heads.wait_for_choice(2, 2)
    assert heads.count_nodes() < 5_000
    _assert_fits(page)


def test_a_deep_model_keeps_the_page_small(page: Page) -> None:
    eager.run("smollm2", "Loaded.")
    heads = Heads(page).open(FIRST_LOAD_MS, model="smollm2", text=LONG_TEXT)
    heads.wait_for_choice(0, 0)
    assert heads.count_nodes() < 5_000
