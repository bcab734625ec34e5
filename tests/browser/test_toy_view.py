"""A view defined in one file is everywhere once it is registered, and no other file knows of it."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

import explorer
from docs.making import files
from explorer.app.kept_figures import opening_link
from explorer.cli.main import main
from explorer.saving.files import FORMATS
from explorer.saving.metadata import read_provenance
from explorer.views import registry
from tests.browser.conftest import serving
from tests.toy_view import VIEW

ADDRESS = "/?mode=token_lengths&text=A%20cat%20sat.&unit=bytes&factor=2.0"
# minilm reads [CLS] a cat sat . [SEP]: five, one, three, three, one, five characters; twice as many here.
LENGTHS = [10, 2, 6, 6, 2, 10]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    registry.register(VIEW)
    yield
    registry.VIEWS.pop(VIEW.name)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    start = "import sys; from tests.toy_view import serve; serve(int(sys.argv[1]))"
    with serving(["-c", start], tmp_path_factory.mktemp("hub")) as running:
        yield running.url


def test_its_address_opens_it_in_the_page(url: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(url + ADDRESS)
    graph = page.locator("#heads-token_lengths-bars-graph .js-plotly-plot .bars")
    expect(graph).to_be_visible(timeout=60_000)
    assert (
        page.evaluate(
            "Array.from(document.querySelector('#heads-token_lengths-bars-graph .js-plotly-plot')._fullData[0].y)"
        )
        == LENGTHS
    )
    expect(page.locator("#heads-token_lengths-caption")).to_have_text("How long the 6 tokens are.")
    page.locator("#heads-token_lengths-factor").fill("3")
    page.wait_for_url("**factor=3**", timeout=60_000)
    page.locator("#save-button").click()
    expect(page.locator("#save-what")).to_have_value("the lengths of tokens", timeout=60_000)
    page.close()


@pytest.fixture
def saved(tmp_path: Path, chromium: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The view in all formats, by the command line."""
    monkeypatch.setenv("CHROMIUM", chromium)
    paths = {ending: tmp_path / f"lengths.{ending}" for ending in FORMATS}
    for path in paths.values():
        assert main(["view", ADDRESS, "-o", str(path), "--quiet"]) == 0
    return paths


def test_files_of_all_formats_are_saved_opened_and_made_again(
    saved: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(saved) == 7
    for path in saved.values():
        link = opening_link(read_provenance(path.read_bytes(), path.name), path.name)
        view, settings, remarks = registry.view_at(link)
        assert (view, remarks) == (VIEW, ())
        assert settings == VIEW.settings(text="A cat sat.", unit="bytes", factor=2.0)
    assert json.loads(saved["json"].read_text("utf-8"))["lengths"] == LENGTHS
    rows = list(csv.reader(io.StringIO(saved["csv"].read_text("utf-8"))))
    assert [float(row[1]) for row in rows[1:]] == LENGTHS
    with np.load(saved["npz"]) as arrays:
        np.testing.assert_array_equal(arrays["lengths"], LENGTHS)
    with Image.open(saved["png"]) as picture:
        assert picture.width > 600
    assert ElementTree.parse(saved["svg"]).getroot().tag.endswith("svg")
    assert "tokens are" in PdfReader(saved["pdf"]).pages[0].extract_text()
    assert "plotly" in saved["html"].read_text("utf-8")
    assert main(["remake", str(saved["json"]), "--quiet"]) == 0
    assert capsys.readouterr().out == "token_lengths: largest difference 0\n"


def test_python_help_and_documentation_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = explorer.view("token_lengths", text="A cat sat.", factor=2.0)
    assert found.data()["lengths"] == LENGTHS
    assert found.link == "/?mode=token_lengths&text=A%20cat%20sat.&factor=2.0"
    assert main(["view", "--help"]) == 0
    assert "token_lengths" in capsys.readouterr().out
    page = files.page()
    assert "### token_lengths" in page
    assert "| `factor` | `1.0` |  | What the lengths are multiplied by. |" in page
