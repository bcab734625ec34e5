"""A text over the model's limit: refused, or its beginning shown, and that said wherever it is."""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser import eager
from tests.browser.conftest import OpenPage
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_heads import Heads

LIMIT = 512
LONG = " ".join(f"The keys that the man number {i} left are lost." for i in range(60))
TOLD = "the first 512 of 662 tokens are shown"


def _truncated(heads: Heads) -> eager.EagerRun:
    """Type the long text, press Run and then the button; what eager attention says of it."""
    expected = eager.run("minilm", LONG, without=range(LIMIT - 1, 661))  # 661 is [SEP]
    assert len(expected.labels) == LIMIT
    heads.type(LONG)
    heads.run()
    heads.expect_error("662 tokens", "at most 512")
    heads.page.get_by_role("button", name="Show the first 512 tokens").click()
    heads.wait_for_map(keys=expected.labels)
    return expected


def _assert_drawn(heads: Heads, expected: eager.EagerRun) -> None:
    drawn = heads.drawn()
    weights = expected.attention[drawn.layer, drawn.head]
    # A map of so many cells is drawn in 250 steps.
    np.testing.assert_allclose(drawn.weights, weights, atol=weights.max() / 250)
    assert drawn.queries == expected.labels


def test_its_beginning_is_shown_and_that_is_said(heads: Heads, tmp_path: Path) -> None:
    page, expected = heads.page, _truncated(heads)
    _assert_drawn(heads, expected)
    remark = page.locator("#heads-remarks")
    expect(remark).to_have_text(f"truncated: {TOLD}")
    expect(heads.error).to_have_count(0)
    expect(page.locator("#heads-caption")).to_contain_text(f"Truncated: {TOLD}.")
    expect(page.locator("#text-input")).to_have_value(LONG)
    # It stays: another head, another run of the same text.
    heads.click_head(2, 3)
    heads.wait_for_choice(2, 3)
    heads.run()
    _assert_drawn(heads, expected)
    expect(remark).to_have_text(f"truncated: {TOLD}")
    with heads.save("csv", tmp_path).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:-1] == ["query", *expected.labels, f"truncated: {TOLD}"]
    np.testing.assert_allclose(np.array([row[1:-2] for row in rows], dtype=float), expected.attention[2, 3], atol=1e-5)
    assert heads.count_nodes() <= 5_000


def test_a_link_reopens_it(heads: Heads, open_page: OpenPage) -> None:
    expected = _truncated(heads)
    heads.wait_until_told(LONG)
    there = Heads(open_page(scheme="dark"))
    there.page.goto(heads.page.url)
    there.wait_for_map(keys=expected.labels)
    _assert_drawn(there, expected)
    expect(there.page.locator("#heads-remarks")).to_have_text(f"truncated: {TOLD}")
    there.wait_until_told(LONG)
    # Where nobody agreed the same text is refused.
    there.page.goto(f"/?{urlencode({'text': LONG})}")
    there.expect_error("662 tokens", "at most 512")


def test_only_the_text_it_was_asked_for_is_truncated(heads: Heads, sentence: str) -> None:
    page, expected = heads.page, _truncated(heads)
    heads.type(f"{LONG} More.")
    heads.run()
    heads.expect_error("664 tokens", "at most 512")
    # What is on the screen is still the other text, and said to be its beginning.
    expect(page.locator("#heads-remarks")).to_have_text(f"truncated: {TOLD}")
    _assert_drawn(heads, expected)
    heads.type(sentence)
    heads.run()
    heads.wait_for_map(keys=eager.run("minilm", sentence).labels)
    expect(page.locator("#heads-remarks")).to_be_empty()
    heads.wait_for_address(text=sentence)
    assert "truncate" not in heads.address()


def test_a_model_that_reads_more_shows_all_of_it(heads: Heads) -> None:
    _truncated(heads)
    expected = eager.run("smollm2", LONG)
    assert len(expected.labels) > LIMIT
    heads.choose_model("smollm2")
    heads.wait_for(
        """count => document.querySelector('#heads-heatmap .js-plotly-plot')
        ._fullLayout.meta.whole[0] === count""",
        len(expected.labels),
        FIRST_LOAD_MS,
    )
    expect(heads.page.locator("#heads-remarks")).to_be_empty()
    expect(heads.page.locator("#heads-caption")).not_to_contain_text("runcated")


def test_a_pair_loses_the_end_of_its_longer_text(heads: Heads) -> None:
    heads.type(LONG, pair="The dog slept.")
    heads.run()
    heads.expect_error("667 tokens", "at most 512")
    heads.page.get_by_role("button", name="Show the first 512 tokens").click()
    # The first text's [SEP] is token 661; before it go as many as are too much.
    expected = eager.run("minilm", LONG, "The dog slept.", range(661 - (667 - LIMIT), 661))
    heads.wait_for_map(keys=expected.labels)
    _assert_drawn(heads, expected)
    expect(heads.page.locator("#heads-remarks")).to_have_text(
        "truncated: 512 of both texts’ 667 tokens are shown, the longer text cut first"
    )


def test_the_text_of_a_comparison(heads: Heads) -> None:
    page = heads.page
    page.locator("#heads-mode").get_by_text("compare", exact=True).click()
    expect(page.locator("#heads-comparison-caption")).to_contain_text("Second: minilm")
    page.fill("#heads-comparison-other-text", LONG)
    page.keyboard.press("Enter")
    message = page.locator("#heads-comparison-message")
    expect(message.locator(".error")).to_contain_text("662 tokens")
    message.get_by_role("button", name="Show the first 512 tokens").click()
    expect(page.locator("#heads-comparison-caption")).to_contain_text(f"The second text is truncated: {TOLD}.")
    expect(message).to_be_empty()


def test_a_second_text_that_the_model_does_not_read_is_said(page: Page) -> None:
    text = "The dog slept."
    expected = eager.run("smollm2", text)
    heads = Heads(page).open(FIRST_LOAD_MS, model="smollm2", text=text, pair="A cat.", target="Ein Hund.")
    heads.wait_for_map(keys=expected.labels)
    np.testing.assert_allclose(np.nan_to_num(heads.drawn().weights), expected.attention[0, 0], atol=1e-5)
    remarks = page.locator("#heads-remarks .remark > div")
    expect(remarks).to_have_text(
        [
            "the second text is left out: smollm2 reads one text at a time",
            "the target text is left out: smollm2 is not an encoder–decoder",
        ]
    )
    expect(heads.error).to_have_count(0)
    expect(page.locator("#pair-input")).to_be_hidden()
