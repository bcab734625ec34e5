"""The Self-check page: a verdict, a row an identity, and long texts that can be stopped."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Page, expect
from safetensors.torch import load_file, save_file

from explorer.analysis.identities import CLAIMS
from tests import checkpoints
from tests.browser import eager
from tests.browser.conftest import OpenPage
from tests.browser.driving import FIRST_LOAD_MS, App, assert_fits, resize

TEXT = "She ate an apple while Apple announced a phone."
LONG = " ".join(["The keys that the man left lost are on the table."] * 40)


class Check(App):
    """The Self-check page."""

    path = "/check"
    name = "check"

    def wait_until_drawn(self, timeout_ms: float = 20_000) -> None:
        self.wait_for("() => document.querySelector('.verdict-line:is(.holds, .fails)')", timeout_ms=timeout_ms)

    def expect_verdict(self, said: str | re.Pattern[str], timeout_ms: float = 20_000) -> None:
        expect(self.page.locator("#check-verdict h2")).to_have_text(said, timeout=timeout_ms)

    def facts(self) -> str:
        return self.page.locator("#check-verdict p").inner_text()

    def rows(self) -> dict[str, list[str]]:
        """The cells after the name, by the identity's title; the result's word first."""
        found = {}
        for row in self.page.locator("#check-table tbody tr").all():
            cells = row.locator("td").all()
            title = cells[1].locator("b").inner_text()
            found[title] = [cells[0].inner_text(), *(cell.inner_text() for cell in cells[2:])]
        assert list(found) == [claim.title for claim in CLAIMS.values()]
        return found


def test_the_opening_text(page: Page, open_page: OpenPage) -> None:
    page.goto("/")
    page.get_by_role("link", name="Self-check").click()
    check = Check(page)
    check.wait_until_drawn()
    check.expect_verdict("All 6 identities that apply hold for minilm on this text; 2 do not apply.")
    assert check.facts() == "minilm · cpu · float32 · 12 tokens · 72 attention maps"
    rows = check.rows()
    words = [cells[0].split("\n")[-1].lstrip("✓–✗") for cells in rows.values()]
    assert words == ["holds", "does not apply", "holds", "holds", "does not apply", *["holds"] * 3]
    sizes = [cells[1] for cells in rows.values() if len(cells) == 4]
    assert all(re.fullmatch(r"0|\d(\.\d)? × 10[⁻¹²³⁴-⁹]+|10[⁻¹²³⁴-⁹]+", size) for size in sizes)
    assert rows["Each row adds up to 1"][3].startswith("encoder · layer")
    assert "no language-model head" in rows["Predictions stay the same"][1]
    # Nothing here is a figure.
    expect(page.locator(".app > footer")).to_be_hidden()
    page.click("#check-help-open")
    expect(page.get_by_role("dialog")).to_contain_text("The model is run a second time")
    page.keyboard.press("Escape")
    page.fill("#text-input", "Another text.")
    check.run()
    check.wait_for_address(text="Another text.")
    assert "5 tokens" in check.facts()
    there = Check(open_page(scheme="dark"))
    there.page.goto(page.url)
    there.wait_until_drawn()
    assert there.facts() == check.facts()
    expect(there.page.locator("#text-input")).to_have_value("Another text.")


def test_a_causal_model_and_a_long_text_that_is_stopped(page: Page) -> None:
    check = Check(page).open(FIRST_LOAD_MS, model="smollm2")
    check.expect_verdict("All 8 identities hold for smollm2 on this text.")
    page.fill("#text-input", LONG)
    check.run()
    working = page.locator("#check-message .working")
    checking = re.compile("adding up rows|comparing|running again")
    expect(working).to_contain_text(checking, timeout=FIRST_LOAD_MS)
    page.get_by_role("button", name="Cancel").click()
    expect(check.error).to_contain_text("ancelled", timeout=FIRST_LOAD_MS)
    assert "10 tokens" in check.facts()  # what was there stays
    # The next run is not hurt by one that was stopped, nor are the other pages.
    page.fill("#text-input", TEXT + " Yes.")
    check.run()
    check.wait_for_address(text=TEXT + " Yes.")
    check.expect_verdict("All 8 identities hold for smollm2 on this text.")
    run = eager.run("smollm2", TEXT + " Yes.")
    assert f"{len(run.labels)} tokens · {30 * 9} attention maps" in check.facts()
    page.fill("#text-input", LONG)
    check.run()
    told = page.locator("#check-verdict p")
    expect(told).to_contain_text("480 tokens", timeout=FIRST_LOAD_MS)
    check.expect_verdict("All 8 identities hold for smollm2 on this text.")
    assert check.count_nodes() <= 5_000


def test_what_cannot_be_checked(page: Page, tmp_path: Path) -> None:
    check = Check(page).open()
    page.fill("#text-input", "")
    check.run()
    check.expect_error("text is empty")
    assert "12 tokens" in check.facts()
    page.fill("#text-input", TEXT)
    check.choose_model("nosuch/model")
    check.expect_error("nosuch/model")
    folder = checkpoints.write(checkpoints.FAMILIES["deberta-v2"], tmp_path / "tiny-deberta")
    check.choose_model(str(folder))
    check.expect_verdict(re.compile("^All 3 identities that apply hold .*; 5 do not apply"))
    assert "captured with eager attention itself" in check.rows()["The heads add up"][1]
    expect(check.error).to_have_count(0)
    check.choose_model("minilm")
    page.fill("#text-input", "apple " * 600)
    check.run()
    check.expect_error("602 tokens")
    page.get_by_role("button", name="Show the first 512 tokens").click()
    told = page.locator("#check-remarks")
    said = "truncated: the first 512 of 602 tokens are shown"
    expect(told).to_have_text(said, timeout=FIRST_LOAD_MS)
    # An address too long is a name; who opens it has agreed to read the beginning.
    check.wait_for("() => new URLSearchParams(location.search).has('saved')")
    page.goto(page.url)
    expect(told).to_have_text(said, timeout=FIRST_LOAD_MS)


def test_a_model_that_gives_no_numbers(page: Page, tmp_path: Path) -> None:
    """An infinite weight in its last block, so that what comes after is no number: said in red."""
    folder = checkpoints.write(checkpoints.FAMILIES["gpt2"], tmp_path / "tiny-gpt2")
    weights = load_file(folder / "model.safetensors")
    table = next(name for name in weights if name.endswith("h.2.mlp.c_proj.weight"))
    weights[table] = torch.full_like(weights[table], np.inf)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    check = Check(page).open(model=folder)
    check.expect_verdict(re.compile(r"identities do not hold for .*: Recording changes nothing"))
    row = page.locator("#check-table tr.fails").first
    expect(row.locator(".error-size")).to_have_text("no number")
    assert page.locator(".verdict-line.fails").count() == 1


def test_it_fits(open_page: OpenPage) -> None:
    page = open_page(scheme="dark")
    Check(page).open()
    inside, cells = page.locator("#check-result"), page.locator("#check-table td")
    for width, height in ((1440, 900), (1024, 700)):
        resize(page, width, height)
        assert_fits(page)
        assert inside.evaluate("node => node.scrollHeight <= node.clientHeight")
    page.click("#present-button")
    expect(page.locator("nav")).to_be_hidden()
    assert_fits(page)
    page.click("#present-leave")
    resize(page, 390, 844)
    assert_fits(page)
    assert cells.evaluate_all("nodes => nodes.every(node => node.offsetWidth <= 390)")
