"""Lessons: walked through by their buttons, each step's view beside it; presenter mode."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from playwright.sync_api import Frame, Page, expect

from explorer.lessons.files import FOLDER, Lesson, Step, read_lesson
from explorer.text.example_sets import OPENING
from tests.browser.driving import FIRST_LOAD_MS, assert_fits, resize

LESSONS = sorted(map(read_lesson, FOLDER.glob("*.md")), key=lambda lesson: lesson.order)
BY_NAME = {lesson.name: lesson for lesson in LESSONS}

_TITLE = """([graph, parts]) => {
  const title = document.querySelector(`#${graph} .js-plotly-plot`)?._fullLayout?.title?.text;
  return Boolean(title) && parts.every(part => title.includes(part));
}"""
_LARGEST_TYPE = """selector => Array.from(document.querySelectorAll(selector))
  .filter(node => node.offsetParent)
  .map(node => Number.parseFloat(getComputedStyle(node).fontSize))"""


def _frame(page: Page) -> Frame:
    frame = page.frame(name="learn-frame")
    assert frame
    return frame


def _expect_step(page: Page, lesson: Lesson, number: int) -> Step:
    """Wait for a step's text and for the view it speaks of."""
    step = lesson.steps[number - 1]
    expect(page.locator("#learn-progress")).to_have_text(f"step {number} of {len(lesson.steps)}")
    expect(page.locator("#learn-side h1")).to_have_text(step.title)
    expect(page.locator("#learn-side")).to_contain_text(lesson.title)
    expect(page.locator("#learn-side a", has_text="Open it by itself")).to_have_attribute("href", step.view.href)
    _expect_view(page, step)
    assert len(page.frames) == 2
    return step


def _expect_view(page: Page, step: Step) -> None:
    given, frame = step.view.parameters, _frame(page)
    frame.wait_for_function("path => location.pathname === path", arg=step.view.path)
    if not Path(given["model"]).name.startswith(("minilm", "smollm2")):
        # No hub can be reached here: the view itself says so.
        said = frame.locator("#heads-message .error")
        expect(said).to_contain_text(given["model"], timeout=FIRST_LOAD_MS)
    elif step.view.path == "/":
        parts = [given["model"], f"layer {given['layer']} · head {given['head']}"]
        frame.wait_for_function(_TITLE, arg=["heads-heatmap", parts], timeout=FIRST_LOAD_MS)
        expect(frame.locator("#text-input")).to_have_value(given["text"])
    elif step.view.path == "/embeddings":
        word = html.escape(given.get("word", OPENING.word), quote=False)
        parts = [f"“{word}”", f"in {given['model']} ", f"layer {given['layer']}"]
        frame.wait_for_function(_TITLE, arg=["embeddings-plot", parts], timeout=FIRST_LOAD_MS)
    else:
        mode = given.get("mode", "worksheet")
        expect(frame.locator(f"#inside-{mode}-part")).to_be_visible(timeout=FIRST_LOAD_MS)
        for field in ("layer", "head"):
            expect(frame.locator(f"#inside-{field}")).to_have_value(given[field])
        drawn = frame.locator(f"#inside-{mode}-part .js-plotly-plot .main-svg").first
        expect(drawn).to_be_attached(timeout=FIRST_LOAD_MS)
        expect(frame.locator("#inside-page .error")).to_have_count(0)
        expect(frame.locator("#inside-note")).to_be_empty()


def test_every_lesson_is_walked_through(page: Page) -> None:
    """From the list, with the button Next, to the end of the last lesson and the list again."""
    page.goto("/learn")
    cards = page.locator("#learn-list .card")
    expect(cards).to_have_count(len(LESSONS))
    assert cards.locator("b").all_inner_texts() == [lesson.title for lesson in LESSONS]
    cards.first.click()
    for lesson in LESSONS:
        for number in range(1, len(lesson.steps) + 1):
            _expect_step(page, lesson, number)
            step = "" if number == 1 else rf"\?step={number}"
            assert re.search(rf"/learn/{lesson.name}{step}$", page.url)
            page.click("#learn-next")
    expect(cards).to_have_count(len(LESSONS))
    expect(page.locator("#learn-lesson")).to_be_hidden()
    page.wait_for_url("**/learn")
    _frame(page).wait_for_url("about:blank")


def test_progress_is_in_the_address(page: Page) -> None:
    lesson = BY_NAME["queries-keys-values"]
    page.goto(f"/learn/{lesson.name}?step=4")
    _expect_step(page, lesson, 4)
    _frame(page).evaluate("window.marker = true")
    page.click("#learn-next")
    _expect_step(page, lesson, 5)
    assert _frame(page).evaluate("window.marker") is True, "the step loaded the app's scripts again"
    page.click("#learn-back")
    _expect_step(page, lesson, 4)
    for number in (5, 4):
        page.go_back()
        _expect_step(page, lesson, number)
    page.reload()
    _expect_step(page, lesson, 4)
    page.goto(f"/learn/{lesson.name}")
    expect(page.locator("#learn-back")).to_be_disabled()


def test_keys_go_from_step_to_step_but_not_while_typing(page: Page) -> None:
    lesson = BY_NAME["similarity"]
    page.goto(f"/learn/{lesson.name}")
    _expect_step(page, lesson, 1)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    _expect_step(page, lesson, 2)
    page.keyboard.press("ArrowLeft")
    _expect_step(page, lesson, 1)
    field = _frame(page).locator("#embeddings-word")
    field.click()
    for key in ("ArrowRight", "p", "Escape"):
        page.keyboard.press(key)
    expect(field).to_have_value(re.compile("p"))
    _expect_step(page, lesson, 1)
    page.goto("/embeddings")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/embeddings*")


def test_steps_taken_in_haste(page: Page) -> None:
    """A view that is left while it is being made is no error; the last one is shown."""
    lesson = BY_NAME["two-meanings"]
    page.goto(f"/learn/{lesson.name}")
    for number in range(1, 6):
        expect(page.locator("#learn-progress")).to_have_text(f"step {number} of 6")
        page.keyboard.press("ArrowRight")
    _expect_step(page, lesson, 6)


def test_a_tried_sentence_stays_in_the_view(page: Page) -> None:
    """What is beside the text is the page itself: another text is run there."""
    lesson = BY_NAME["two-meanings"]
    page.goto(f"/learn/{lesson.name}?step=4")
    _expect_step(page, lesson, 4)
    frame = _frame(page)
    frame.locator("#text-input").fill("The apple fell on my grandmother.")
    frame.locator("#run-button").click()
    frame.wait_for_function(
        """() => document.querySelector('#heads-heatmap .js-plotly-plot')
        ._fullLayout.xaxis2.ticktext.includes('grandmother')"""
    )
    assert "grandmother" not in page.url
    for hidden in ("nav", ".app > footer", "#theme-toggle", "#share-button"):
        expect(frame.locator(hidden)).to_be_hidden()


@pytest.mark.parametrize(("name", "tells"), [("nonsense", "nonsense"), ("a%3Cb%3Eb", "a<b>b")])
def test_an_unknown_lesson(page: Page, name: str, tells: str) -> None:
    page.goto(f"/learn/{name}")
    expect(page.locator("#learn-wrong .error")).to_contain_text(f"no lesson “{tells}”")
    expect(page.locator("#learn-list .card")).to_have_count(len(LESSONS))


def test_a_step_that_is_not_there(page: Page) -> None:
    lesson = BY_NAME["sharing"]
    page.goto(f"/learn/{lesson.name}?step=40")
    expect(page.locator("#learn-wrong")).to_contain_text("no step “40”: its steps are 1 to 4")
    _expect_step(page, lesson, 1)


def test_presenter_mode(page: Page) -> None:
    """Large type and no controls, in the view as well; keys alone lead through the lesson."""
    lesson = BY_NAME["many-heads"]
    page.goto(f"/learn/{lesson.name}?present=true")
    _expect_step(page, lesson, 1)
    frame = _frame(page)
    for where in (page, frame):
        for folded in (".bar", "nav", ".app > footer", "#present-leave"):
            expect(where.locator(folded)).to_be_hidden()
    for width, height in ((1024, 700), (1440, 900)):
        resize(page, width, height)
        sizes = page.evaluate(_LARGEST_TYPE, "#learn-side *, .reading button, .reading header *")
        assert min(sizes) >= 20
        graph = frame.locator("#heads-heatmap").bounding_box()
        assert graph
        assert graph["x"] + graph["width"] <= width
        assert graph["height"] > 0.35 * height
    frame.locator("#present-unfold").click()
    expect(frame.locator("#text-input")).to_be_visible()
    frame.locator("#present-unfold").click()
    expect(frame.locator("#text-input")).to_be_hidden()
    page.locator("#learn-side").click()
    page.keyboard.press("ArrowRight")
    _expect_step(page, lesson, 2)
    page.keyboard.press("ArrowLeft")
    _expect_step(page, lesson, 1)
    assert "present=true" in page.url
    # Escape in the view leaves it as well.
    frame.locator("#heads-facts").click()
    page.keyboard.press("Escape")
    for where in (page, frame):
        expect(where.locator(".bar")).to_be_visible()
    page.wait_for_url(lambda url: "present" not in url)
    page.click("#learn-present")
    expect(page.locator("nav")).to_be_hidden()
    expect(frame.locator(".bar")).to_be_hidden()
    page.wait_for_url("**present=true*")


def test_nothing_scrolls_sideways(page: Page) -> None:
    def fits() -> None:
        for size in ((390, 844), (1024, 700), (1440, 900)):
            resize(page, *size)
            assert_fits(page)
            assert _frame(page).evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.goto("/learn")
    expect(page.locator("#learn-list .card")).to_have_count(len(LESSONS))
    fits()
    for address in ("/learn/sharing?step=4", "/learn/sharing?step=4&present=true"):
        page.goto(address)
        _expect_step(page, BY_NAME["sharing"], 4)
        fits()


def test_presenter_mode_of_the_other_pages(page: Page) -> None:
    page.goto("/?layer=1&present=true")
    page.wait_for_function(_TITLE, arg=["heads-heatmap", ["layer 1 · head 0"]])
    expect(page.locator(".bar")).to_be_hidden()
    assert "present=true" in page.url
    page.click("#present-leave")
    expect(page.locator(".bar")).to_be_visible()
    page.wait_for_url(lambda url: "present" not in url)
    page.keyboard.press("p")
    expect(page.locator(".bar")).to_be_hidden()


def test_the_view_follows_the_theme(page: Page) -> None:
    lesson = BY_NAME["many-heads"]
    page.goto(f"/learn/{lesson.name}")
    _expect_step(page, lesson, 1)
    frame = _frame(page)
    themes = "() => document.documentElement.dataset.theme"
    assert [where.evaluate(themes) for where in (page, frame)] == ["light", "light"]
    page.click("#theme-toggle")
    frame.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    page.keyboard.press("ArrowRight")
    _expect_step(page, lesson, 2)
    page.keyboard.press("ArrowLeft")
    _expect_step(page, lesson, 1)
    assert frame.evaluate(themes) == "dark"
