"""A link to a view of the Embeddings page opens every field as it says, and stays as it was."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.driving_embeddings import Embeddings

LINES = "\n".join(
    (
        "animal | At dusk the Bat left its cave.",
        "animal | A small bat + a “bat” hung there.",
        "sport | His bat hit the ball.",
        "sport | She swung a wooden bat & ran.",
    )
)
COMMON = {
    "word": "bat",
    "sentences": LINES,
    "match_case": "true",
    "inside": "true",
    "which": "last",
    "echo": "true",
    "anchors": "mouse, ball",
    "layer": "2",
}
FIT = {"basis": "all", "normalise": "unit", "drop_first": "true"}
PARTS = {"arrows": "false", "paths": "true", "anchors_shown": "false", "others": "true"}
# By mode: what else its link says, and the graph that it fills.
VIEWS = {
    "embeddings": ({**FIT, **PARTS, "axes": "3"}, "embeddings-plot"),
    "layers": ({}, "embeddings-layers-graph"),
    "similarity": ({"values": "corrected"}, "embeddings-similarity-graph"),
    "meaning": ({"meaning_of": "sense:sport", "read_by": "static"}, "embeddings-meaning-graph"),
    "pull": ({**FIT, "axes": "3", "pull_on": "1", "head": "7", "arrow_length": "true"}, "embeddings-pull-graph"),
    "positions": ({"positions_of": "1"}, "embeddings-positions-graph"),
}
SWITCHES = {
    "match_case": "embeddings-case",
    "inside": "embeddings-inside",
    "echo": "embeddings-echo",
    "arrows": "embeddings-arrows",
    "paths": "embeddings-paths",
    "others": "embeddings-others",
    "anchors_shown": "embeddings-anchors-shown",
    "drop_first": "embeddings-drop-first",
}
FIELDS = {"word": "embeddings-word", "sentences": "embeddings-sentences", "anchors": "embeddings-anchors"}
# What a list begins with for a setting.
LISTS = {
    "which": ("embeddings-which", "the last"),
    "basis": ("embeddings-basis", "one for all layers"),
    "normalise": ("embeddings-normalise", "unit length"),
    "meaning_of": ("embeddings-meaning-place", "mean of 2 · sport"),
    "pull_on": ("embeddings-pull-place", "3 · sport · His bat"),
    "head": ("embeddings-pull-head", "7"),
    "positions_of": ("embeddings-positions-place", "3 · His bat"),
}
BUTTONS = {
    "mode": "embeddings-mode",
    "axes": "embeddings-axes",
    "read_by": "embeddings-meaning-by",
    "values": "embeddings-similarity-values",
    "arrow_length": "embeddings-pull-length",
}


def _starts(responses: list[Response]) -> int:
    """How often the page's work was begun."""
    asked = [one for one in responses if '"output":"embeddings-job.data"' in _sent(one)]
    return sum("number" in one.text() for one in asked)


def _sent(response: Response) -> str:
    return (response.request.post_data or "").replace(" ", "")


def _expect_fields(page: Page, told: dict[str, str]) -> None:
    for name, value in told.items():
        if name in SWITCHES:
            expect(page.locator(f"#{SWITCHES[name]}")).to_be_checked(checked=value == "true")
        elif name in FIELDS:
            expect(page.locator(f"#{FIELDS[name]}")).to_have_value(value)
        elif name in LISTS:
            field, said = LISTS[name]
            expect(page.locator(f"#{field}")).to_have_value(re.compile(f"^{said}"))
        elif name in BUTTONS:
            chosen = page.locator(f"#{BUTTONS[name]} input:checked")
            expect(chosen).to_have_value(value)
        else:
            assert name == "layer"
            slider = page.locator("#embeddings-layer [role=slider]")
            expect(slider).to_have_attribute("aria-valuenow", value)


@pytest.mark.parametrize("mode", VIEWS)
def test_a_link_opens_every_field_and_stays(page: Page, mode: str) -> None:
    more, graph = VIEWS[mode]
    # The first sentence has no "bat" as it is written: the places that are named begin after it.
    told = {**COMMON, **more, **({} if mode == "embeddings" else {"mode": mode})}
    responses: list[Any] = []
    page.on("response", lambda response: responses.append(response))
    embeddings = Embeddings(page)
    page.goto(f"/embeddings?{urlencode(told, quote_via=quote)}")
    embeddings.wait_for("id => document.querySelector(`#${id} .js-plotly-plot`)?._fullData?.length > 0", graph)
    _expect_fields(page, told)
    expect(page.locator("#embeddings-set")).to_have_value("")
    for other in VIEWS:
        shown = page.locator(f"#embeddings-{other}-part")
        expect(shown).to_be_visible() if other == mode else expect(shown).to_be_hidden()
    embeddings.wait_for(
        """told => { const given = Object.fromEntries(new URLSearchParams(location.search));
        return JSON.stringify(Object.entries(given).sort())
          === JSON.stringify(Object.entries(told).sort()); }""",
        told,
    )
    expect(page.locator("#link-message .remark")).to_have_count(0)
    assert _starts(responses) == 1
    # The view writes the address by itself, not only leaves it as it was.
    embeddings.slide("ArrowRight")
    embeddings.wait_for(
        "() => !new URLSearchParams(location.search).has('layer')"  # 3 is where it begins
    )


def test_a_short_link_opens_with_its_word_s_anchors(page: Page) -> None:
    """As lessons and the README write them: a word, its sentences, a layer."""
    embeddings = Embeddings(page)
    page.goto("/embeddings?word=apple&layer=1")
    embeddings.wait_for_plot("apple", 1)
    expect(page.locator("#embeddings-anchors")).to_have_value("banana, orange, Microsoft, Google")
    expect(page.locator("#embeddings-set")).to_have_value("apple: fruit or company")
    page.goto("/embeddings?word=dog&sentences=a | A dog ran.%0Ab | My dog, too.")
    embeddings.wait_for_plot("dog", 3)
    expect(page.locator("#embeddings-anchors")).to_have_value("")
    expect(page.locator("#embeddings-set")).to_have_value("")
    # Words of reference that are taken away stay away; those of the word need not be told.
    page.goto("/embeddings?anchors=")
    embeddings.wait_for_plot("apple", 3)
    expect(page.locator("#embeddings-anchors")).to_have_value("")
    embeddings.wait_for_address(anchors="")
    page.fill("#embeddings-anchors", "banana, orange, Microsoft, Google")
    embeddings.run()
    embeddings.wait_for("() => !location.search.includes('anchors')")


def test_a_setting_that_is_none_is_told(page: Page) -> None:
    embeddings = Embeddings(page)
    page.goto("/embeddings?mode=similarity&values=dots")
    expect(page.locator("#link-message")).to_contain_text(
        "values=dots, which is not offered here: cosine is used", timeout=20_000
    )
    embeddings.wait_for(
        "() => document.querySelector('#embeddings-similarity-graph .js-plotly-plot')?._fullData?.length > 0"
    )
    _expect_fields(page, {"mode": "similarity", "values": "cosine"})
    embeddings.wait_for("() => location.search === '?mode=similarity'")
