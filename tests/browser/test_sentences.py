"""The sentences of the Embeddings page, and whatever is wrong with them, as a person meets it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from explorer.text.example_sets import EXAMPLE_SETS
from explorer.text.sentences import parse_sentences, sentences_text
from tests.browser import eager
from tests.browser.driving import FIRST_LOAD_MS
from tests.browser.driving_embeddings import Embeddings


def choose(page: Page, field: str, option: str) -> None:
    """Choose from a list by what it says."""
    page.click(f"#{field}")
    page.get_by_role("option", name=option, exact=True).click()


def as_table(page: Page) -> None:
    page.locator("#embeddings-editor").get_by_text("table", exact=True).click()


def table(page: Page) -> list[tuple[str, str]]:
    """Senses and sentences of the rows on the screen."""
    rows = page.locator("#embeddings-table .ag-center-cols-container .ag-row")
    return [
        (row.locator("[col-id=sense]").inner_text(), row.locator("[col-id=sentence]").inner_text())
        for row in sorted(rows.all(), key=lambda row: int(row.get_attribute("row-index") or 0))
    ]


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("#embeddings-upload input").set_input_files({"name": name, "mimeType": "text/plain", "buffer": data})


def test_a_ready_set_is_run_at_once(embeddings: Embeddings) -> None:
    page, ready = embeddings.page, EXAMPLE_SETS["bat"]
    expect(page.locator("#embeddings-set")).to_have_value("apple: fruit or company")
    choose(page, "embeddings-set", ready.title)
    embeddings.wait_for_plot("bat")
    assert [trace.name for trace in embeddings.traces()[:2]] == ["animal", "sport"]
    expect(page.locator("#embeddings-sentences")).to_have_value(sentences_text(ready.rows))
    expect(page.locator("#embeddings-anchors")).to_have_value("bird, mouse, ball, racket")
    embeddings.wait_for_address(word="bat", sentences=sentences_text(ready.rows))
    # What is typed over a set is the reader's own.
    page.fill("#embeddings-sentences", "a | A bat.")
    expect(page.locator("#embeddings-set")).to_have_value("")
    page.goto(f"/embeddings?word=bat&sentences={sentences_text(ready.rows[:2])}")
    embeddings.wait_for_plot("bat")
    expect(page.locator("#embeddings-anchors")).to_have_value("bird, mouse, ball, racket")


def test_text_and_table_are_one(embeddings: Embeddings) -> None:
    page = embeddings.page
    text = page.locator("#embeddings-sentences")
    awkward = "a | One | two apple.\r\n\n No sense, apple. \nb\tA tab | apple.\n| apple last"
    text.fill(awkward)
    as_table(page)
    expect(page.locator("#embeddings-table [col-id=remove].ag-cell")).to_have_count(4)
    assert table(page) == parse_sentences(awkward)
    page.locator("#embeddings-table [row-index='1'] [col-id=sense]").click()
    page.keyboard.type("c")
    page.keyboard.press("Enter")
    expect(text).to_have_value("a | One | two apple.\nc | No sense, apple.\nb | A tab | apple.\n| apple last")
    page.locator("#embeddings-table [row-index='3'] [col-id=remove]").click()
    expect(page.locator("#embeddings-table [col-id=remove].ag-cell")).to_have_count(3)
    page.click("#embeddings-add")
    page.locator("#embeddings-table [row-index='3'] [col-id=sentence]").click()
    page.keyboard.type("My apple, too.")
    page.keyboard.press("Enter")
    expect(text).to_have_value("a | One | two apple.\nc | No sense, apple.\nb | A tab | apple.\nb | My apple, too.")
    embeddings.run()
    embeddings.wait_for_address(sentences=text.input_value())


def test_a_file_is_read_or_its_line_named(embeddings: Embeddings) -> None:
    page = embeddings.page
    told = page.locator("#embeddings-upload-message")
    before = page.input_value("#embeddings-sentences")
    for name, data, said in (
        ("x.csv", b'a,An apple.\nb,"Two apples.\n', "x.csv, line 2 cannot be read as CSV"),
        ("x.png", b"\x89PNG\0\0", "x.png is not a text file"),
        ("x.tsv", b"a\tAn apple.\n" * 501, "there are 501 sentences; at most 500"),
    ):
        upload(page, name, data)
        expect(told).to_contain_text(said)
        assert page.input_value("#embeddings-sentences") == before
    rows = 'Sentence,Sense\n"A red, ripe apple fell.",fruit\nThe apple shares fell.,company\n'
    upload(page, "x.csv", rows.encode())
    expect(told).to_contain_text("2 sentences from x.csv")
    embeddings.run()
    embeddings.wait_for_points(1)
    assert [trace.name for trace in embeddings.traces()[:2]] == ["fruit", "company"]
    expect(told).to_be_empty()


def test_a_pasted_table_becomes_lines(embeddings: Embeddings) -> None:
    page = embeddings.page
    text = page.locator("#embeddings-sentences")
    for pasted, lines in (
        ('sense,sentence\nfruit,"A red, ripe apple."\nfirm,My apple.', "fruit | A red, ripe apple.\nfirm | My apple."),
        ("A ripe apple, red.\nMy apple, too.", "A ripe apple, red.\nMy apple, too."),
    ):
        text.fill("")
        text.evaluate(
            """(field, text) => { field.focus();
            field.dispatchEvent(new ClipboardEvent('paste', { bubbles: true }));
            document.execCommand('insertText', false, text); }""",
            pasted,
        )
        expect(text).to_have_value(lines)
    text.fill('a,"An apple."\nb,"Two apples.')
    embeddings.run()
    embeddings.expect_error("the sentences, line 2 cannot be read as CSV: its quote is never")


def test_where_the_word_is_looked_for(embeddings: Embeddings) -> None:
    page = embeddings.page
    remarks = page.locator("#embeddings-remarks")
    embeddings.type("apple", "a | An apple and Apple.", "a | A pineapple grows.")
    embeddings.run()
    expect(remarks).to_contain_text("sentence 2 does not hold “apple” and is left out")
    expect(remarks).to_contain_text("stands in sentence 1 more than once: each place is a point")
    choose(page, "embeddings-which", "the last")
    expect(remarks).to_contain_text("more than once: the last place is taken")
    page.locator("label[for=embeddings-case]").click()
    expect(remarks).not_to_contain_text("more than once")
    page.locator("label[for=embeddings-inside]").click()
    embeddings.wait_for_points(2)
    expect(remarks).to_be_empty()


def test_what_cannot_be_compared(embeddings: Embeddings) -> None:
    before = embeddings.points().tolist()
    embeddings.type("apple", *["a | An apple."] * 501)
    embeddings.run()
    embeddings.expect_error("there are 501 sentences; at most 500 are compared")
    embeddings.type("apple", "a | An apple.", "b | apple " + "so " * 600)
    embeddings.run()
    embeddings.expect_error("sentence 2: the text has 603 tokens", "at most 512")
    embeddings.type("apple", "a | An apple.", "b |")
    embeddings.run()
    embeddings.expect_error("sentence 2 is empty")
    assert embeddings.points().tolist() == before


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["a | My apple."], "needs two senses"),
        (["a | My apple."] * 4, "needs two senses"),
        (["a | My apple.", "b | My apple."] * 2, "all vectors are equal"),
    ],
)
def test_one_sentence_and_equal_ones(embeddings: Embeddings, lines: list[str], why: str) -> None:
    embeddings.type("apple", *lines)
    embeddings.run()
    embeddings.wait_for_points(sum(line.startswith("a") for line in lines))
    assert len({tuple(point) for point in embeddings.points().round(6)}) == 1
    expect(embeddings.page.locator("#embeddings-facts")).to_contain_text(why)


def test_scripts_of_all_kinds(embeddings: Embeddings) -> None:
    lines = ["פרי | אכלתי apple אחת היום", "果物 | 赤い「apple」を食べた", "🍎 | مع apple 👩‍👩‍👧 لذيذ"]
    embeddings.type("apple", *lines)
    embeddings.run()
    embeddings.wait_for_points(1)
    assert [trace.name for trace in embeddings.traces()[:3]] == ["פרי", "果物", "🍎"]
    expect(embeddings.error).to_have_count(0)


def test_five_hundred_sentences(embeddings: Embeddings, sentence: str) -> None:
    """Their progress is seen, they can be cancelled, and they are drawn in the end."""
    page = embeddings.page
    lines = [f"{'ab'[n % 2]} | {n} {sentence} apple {n}." for n in range(500)]
    embeddings.type("apple", *lines)
    embeddings.run()
    working = page.locator("#embeddings-message .working")
    expect(working).to_contain_text("of 500")
    working.get_by_role("button", name="Cancel").click()
    expect(embeddings.error).to_contain_text("Cancelled", timeout=20_000)
    assert len(embeddings.points()) == 12
    embeddings.run()
    embeddings.wait_for_points(250, timeout_ms=120_000)
    assert len(embeddings.points()) == 500


def test_context_first_on_a_causal_model(page: Page) -> None:
    eager.run("smollm2", "Loaded.")
    embeddings = Embeddings(page)
    page.goto("/embeddings?model=smollm2&word=apple&sentences=a | The apple fell.%0Aa | apple pie")
    embeddings.wait_for_plot("apple", model="smollm2", timeout_ms=FIRST_LOAD_MS)
    remarks = page.locator("#embeddings-remarks")
    expect(remarks).to_contain_text("in sentences 1 and 2 fewer than 3 tokens stand before “apple”")
    page.locator("label[for=embeddings-echo]").click()
    expect(remarks).to_contain_text("every sentence was read twice")
    expect(remarks).not_to_contain_text("fewer than 3 tokens")
    expect(page.locator("#embeddings-sentences")).to_have_value("a | The apple fell.\na | apple pie")
