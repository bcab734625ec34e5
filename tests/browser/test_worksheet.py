"""The worksheet on paper: a real PDF, its pages, and what stands on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import explorer
from explorer.cli.main import main
from explorer.records import QueryRow
from explorer.saving.printing import pdf_bytes
from explorer.views.inside.worksheet.compute import query_row
from explorer.views.inside.worksheet.page import number, worksheet_html
from tests.browser.pdfs import pages

TEXT = "She ate an apple while Apple announced a phone."


@pytest.fixture(scope="module")
def row(minilm: explorer.LoadedModel) -> QueryRow:
    """“apple” in one head of minilm."""
    return query_row(explorer.capture(minilm, TEXT), 3, 7, 4)


@pytest.mark.parametrize(("paper", "width", "height"), [("A4", 595, 842), ("Letter", 612, 792)])
def test_paper(row: QueryRow, paper: str, width: int, height: int) -> None:
    printed = pages(pdf_bytes(worksheet_html(row, blank=True, paper=paper)))
    assert [(round(page.width), round(page.height)) for page in printed] == [(width, height)] * 3
    assert all(f"{i + 1}/3" in page.text for i, page in enumerate(printed))


def test_the_key_has_a_page_of_its_own(row: QueryRow) -> None:
    *exercise, key = pages(pdf_bytes(worksheet_html(row, 4, blank=True, paper="A4")))
    products = [number(value, 4) for value in row.products]
    assert all(value in key.text for value in products)
    assert key.text.startswith(("Key:“apple·1”", "3/3Key:“apple·1”"))
    for page in exercise:
        assert not any(value in page.text for value in products)
        assert "Key:" not in page.text
    given = [number(value, 4) for value in row.k[:, 0]]
    assert all(value in exercise[0].text for value in given)


def test_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sheet.pdf"
    status = main(
        [
            "worksheet",
            TEXT,
            "--layer",
            "3",
            "--head",
            "7",
            "--query",
            "4",
            "--quiet",
            "--device",
            "cpu",
            "-o",
            str(path),
        ]
    )
    assert (status, capfd.readouterr().out) == (0, "")
    printed = pages(path.read_bytes())
    assert printed[0].text.count("Attentionbyhand") == 1
    assert "Shateanapple" not in printed[0].text
    assert TEXT.replace(" ", "") in printed[0].text
    assert "Whatcameout" in printed[-1].text


@pytest.mark.parametrize("paper", [(794, 1123), (816, 1056)])
def test_nothing_runs_over_the_edge(browser: Browser, row: QueryRow, paper: tuple[int, int]) -> None:
    """As wide as A4 and Letter, with the longest numbers, long labels and other scripts."""
    labels = ("<script>alert(1)</script>", "שלום", "Donaudampfschifffahrt" * 4, *row.labels[3:])
    sheet = replace(row, labels=labels, query_label=labels[2], source=replace(row.source, text="word " * 2000))
    page = browser.new_page(viewport={"width": paper[0] - 106, "height": paper[1]})
    page.emulate_media(media="print")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for blank in (False, True):
        page.set_content(worksheet_html(sheet, 6, blank))
        root = page.locator("html")
        assert root.evaluate("e => e.scrollWidth <= e.clientWidth")
        tables = page.locator("table").evaluate_all(
            "ts => ts.every(t => t.getBoundingClientRect().right <= innerWidth)"
        )
        assert tables
        own = page.get_by_role("row").filter(has_text="שלום").first.locator("bdi")
        assert own.evaluate("e => getComputedStyle(e).unicodeBidi") == "isolate"
    page.close()
    assert asked == []
