"""The save buttons: every file opens and holds what is on the screen."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, expect

from explorer.saving.metadata import read_provenance
from tests.browser.driving import App
from tests.browser.driving_embeddings import Embeddings
from tests.browser.driving_heads import Heads


def _assert_is_picture(path: Path, app: App) -> None:
    """It has the dots that the menu told, and more than a blank or cut picture's colours."""
    told = re.search(r"as PNG ([\d,]+) × ([\d,]+) dots", app.saved_size)
    assert told
    with Image.open(path) as picture:
        picture.load()
        assert picture.size == tuple(int(side.replace(",", "")) for side in told.groups())
        assert len(picture.convert("RGB").getcolors(10_000_000) or []) > 50


def _svg_texts(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))
    return [text for text in texts if text]


def _rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_head_as_png_svg_and_csv(heads: Heads, sentence: str, tmp_path: Path) -> None:
    heads.type(f'{sentence} "quoted, twice"')
    heads.run()
    heads.wait_for_address(text=f'{sentence} "quoted, twice"')
    heads.click_head(2, 3)
    heads.wait_for_choice(2, 3)
    heads.wait_for_address(layer="2", head="3")
    drawn = heads.drawn()

    png = heads.save("png", tmp_path)
    assert "minilm" in png.name
    assert "layer2-head3" in png.name
    _assert_is_picture(png, heads)

    texts = _svg_texts(heads.save("svg", tmp_path))
    assert set(drawn.keys) <= set(texts)
    assert any("layer 2 · head 3" in text for text in texts)

    table = heads.save("csv", tmp_path)
    assert "layer2-head3" in table.name
    header, *rows = _rows(table)
    assert header[1:-1] == drawn.keys
    assert [row[0] for row in rows] == drawn.queries
    weights = np.array([row[1:-1] for row in rows], dtype=np.float64)
    np.testing.assert_allclose(weights, drawn.weights, rtol=1e-6)


def test_causal_zeros_in_the_file(heads: Heads, sentence: str, tmp_path: Path) -> None:
    heads.type(sentence)
    heads.choose_model("smollm2")
    heads.wait_for_address(model="smollm2", text=sentence)
    drawn = heads.drawn()
    header, *rows = _rows(heads.save("csv", tmp_path))
    weights = np.array([row[1:-1] for row in rows], dtype=np.float64)
    assert header[1:-1] == drawn.keys
    assert drawn.hatched.any()
    np.testing.assert_array_equal(weights[drawn.hatched], 0)
    np.testing.assert_allclose(weights[~drawn.hatched], drawn.weights[~drawn.hatched], rtol=1e-6)


def test_every_format_remembers_what_it_shows(heads: Heads, tmp_path: Path) -> None:
    heads.open(layer=1, head=8, log="true", aggregate="mean")
    for kind in ("png", "svg", "pdf", "html", "csv", "json", "npz"):
        path = heads.save(kind, tmp_path)
        record = read_provenance(path.read_bytes(), path.name)
        assert record["kind"] == "heatmap", kind
        assert record["settings"] | {"log": True, "aggregate": "mean", "layer": 1} == record["settings"]
        assert record["model"] == "minilm"


def test_a_saved_page_needs_no_network(heads: Heads, browser: Browser, tmp_path: Path) -> None:
    page = heads.save("html", tmp_path)
    asked: list[str] = []
    context = browser.new_context(offline=True)
    try:
        opened = context.new_page()
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(page.as_uri())
        expect(opened.locator(".js-plotly-plot .heatmaplayer image")).to_have_count(1)
        assert "[CLS]" in opened.locator(".js-plotly-plot").inner_text()
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    finally:
        context.close()


def test_looks_chosen_in_the_menu(heads: Heads, tmp_path: Path) -> None:
    heads.open_menu()
    page = heads.page
    page.fill("#save-width", "1")
    page.locator("#save-unit").click()
    page.get_by_role("option", name="columns").click()
    page.locator("#save-theme").get_by_text("dark").click()
    page.locator("label", has=page.locator("#save-title")).click()
    expect(page.locator("#save-size")).to_contain_text("8.5 ×")
    heads.wait_for("""() => { const layout = document.querySelector(
        '#save-preview .js-plotly-plot').layout;
        return layout.paper_bgcolor === '#14181e' && !layout.title?.text; }""")
    with page.expect_download() as download:
        page.click("#save-svg")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    root = ElementTree.parse(path).getroot()
    assert abs(float(root.get("width", "").removesuffix("cm")) - 8.5) < 0.05
    assert not any("layer 0 · head 0" in text for text in _svg_texts(path))
    assert read_provenance(path.read_bytes(), "x")["look"] == {
        "theme": "dark",
        "width": 1.0,
        "unit": "columns",
        "title": False,
    }
    page.fill("#save-width", "1000")
    expect(page.locator("#save-remarks .error")).to_contain_text("out of range: use 3 to 100 cm")


def test_figures_are_kept_and_taken_along(heads: Heads, tmp_path: Path) -> None:
    page = heads.page
    page.click("#kept-button")
    page.click("#kept-bundle")
    expect(page.locator("#bundle-message .error")).to_contain_text("press Keep below a figure")
    page.keyboard.press("Escape")
    page.click("#keep-button")
    expect(page.locator("#kept-button")).to_have_text("Kept: 1")
    page.click("#keep-button")  # the same once more
    heads.click_head(1, 8)
    heads.wait_for_choice(1, 8)
    page.click("#keep-button")
    expect(page.locator("#kept-button")).to_have_text("Kept: 2")
    page.reload()
    heads.wait_until_drawn()
    expect(page.locator("#kept-button")).to_have_text("Kept: 2")  # nothing is lost
    page.click("#kept-button")
    with page.expect_download(timeout=60_000) as download:
        page.click("#kept-bundle")
    path = tmp_path / "figures.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        told = [json.loads(archive.read(name)) for name in sorted(archive.namelist()) if name.endswith(".json")]
        assert [(one["layer"], one["head"]) for one in told] == [(0, 0), (1, 8)]
        assert "index.html" in archive.namelist()
    page.locator("#kept-list button").first.click()
    expect(page.locator("#kept-button")).to_have_text("Kept: 1")
    page.click("#kept-clear")
    expect(page.locator("#kept-button")).to_have_text("Kept: 0")


def test_a_saved_file_opens_what_it_shows(heads: Heads, tmp_path: Path) -> None:
    heads.open(layer=2, head=3, words="true", text="An unbelievable apple.")
    path = heads.save("png", tmp_path)
    heads.open()
    heads.page.set_input_files("#open-file input", path)
    heads.wait_for_address(layer="2", head="3", words="true", text="An unbelievable apple.")
    heads.wait_for_choice(2, 3)
    expect(heads.page.locator("#heads-words")).to_be_checked()
    stranger = tmp_path / "stranger.csv"
    stranger.write_text("a,b\n1,2\n")
    heads.page.set_input_files("#open-file input", stranger)
    expect(heads.page.locator("#save-message .error")).to_contain_text("holds no record of what made it")


def test_a_large_file_opens(heads: Heads, tmp_path: Path) -> None:
    """A saved page has all of plotly.js; of a file larger than what is sent its ends are."""
    heads.open(layer=2, head=3)
    page = heads.save("html", tmp_path)
    assert page.stat().st_size > 4 * 1024**2
    numbers = heads.save("json", tmp_path)
    whole = numbers.read_bytes()
    numbers.write_bytes(whole.replace(b'"attention":', b'"zeros": [' + b"0," * 10**7 + b'0],\n"attention":'))
    assert numbers.stat().st_size > 20 * 10**6
    # The last once more: it is read again.
    for file, layer in ((page, 1), (numbers, 0), (numbers, 1)):
        heads.click_head(layer, 8)
        heads.wait_for_address(head="8")
        heads.page.set_input_files("#open-file input", [])  # as a click on it does
        heads.page.set_input_files("#open-file input", file)
        heads.wait_for_address(layer="2", head="3")
        heads.wait_for_choice(2, 3)
    document = tmp_path / "map.pdf"
    document.write_bytes(b"%PDF" + bytes(12_400_000))
    heads.page.set_input_files("#open-file input", document)
    error = heads.page.locator("#save-message .error")
    expect(error).to_have_text(
        "map.pdf has 12.5 MB, and the page opens PDFs of at most 12 MB: open this view’s PNG or HTML instead."
    )
    heads.page.set_input_files("#open-file input", page)
    expect(error).to_have_count(0)


def test_a_view_too_long_for_a_link_is_named(heads: Heads) -> None:
    text = "The cat sat on the mat. " * 60
    heads.type(text + "wordsworth")
    heads.run()
    heads.wait_for("() => new URLSearchParams(location.search).has('saved')")
    assert len(heads.page.url) < 200
    heads.page.goto(heads.page.url)
    expect(heads.page.locator("#text-input")).to_have_value(text + "wordsworth")
    heads.wait_until_drawn()
    heads.page.goto("/?saved=0123456789abcdef")
    expect(heads.page.locator("#link-message")).to_contain_text("no view named 0123456789abcdef")
    heads.wait_until_drawn()


def test_a_link_from_a_newer_version(heads: Heads) -> None:
    heads.page.goto("/?layer=1&head=8&hologram=true")
    heads.wait_for_choice(1, 8)
    expect(heads.page.locator("#link-message")).to_contain_text("does not know (hologram)")


def test_what_a_long_link_has_from_a_newer_version_stays_told(heads: Heads) -> None:
    """The server names the state only once the view is drawn; the remark is older."""
    text = "The cat sat on the mat. " * 40
    heads.page.goto(f"/?{urlencode({'text': text * 2, 'truncate': 'true', 'hologram': 'true'})}")
    heads.wait_for("() => new URLSearchParams(location.search).has('saved')")
    expect(heads.page.locator("#link-message")).to_contain_text("does not know (hologram)")


def test_embeddings_as_png_svg_and_csv(embeddings: Embeddings, tmp_path: Path) -> None:
    embeddings.slide("ArrowRight")
    embeddings.wait_for_plot(layer=4)
    embeddings.wait_for_address(layer="4")

    png = embeddings.save("png", tmp_path)
    assert "apple-layer4" in png.name
    _assert_is_picture(png, embeddings)

    texts = _svg_texts(embeddings.save("svg", tmp_path))
    assert {"fruit", "company", "static vector"} <= set(texts)

    table = embeddings.save("csv", tmp_path)
    assert "apple-layer4" in table.name
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    points = {
        kind: np.array([[row["x"], row["y"]] for row in rows if row["kind"] == kind], dtype=float)
        for kind in ("contextual", "static")
    }
    assert {row["layer"] for row in rows} == {"4"}
    assert [row["sense"] for row in rows if row["kind"] == "contextual"] == (["fruit"] * 6 + ["company"] * 6)
    # Drawn to five digits, saved in full.
    np.testing.assert_allclose(points["contextual"], embeddings.points(), rtol=0, atol=6e-5)
    static = embeddings.traces()[-1].points
    np.testing.assert_allclose(points["static"], np.repeat(static, 12, axis=0), atol=6e-5)


def test_a_word_with_a_slash_is_no_folder(embeddings: Embeddings, tmp_path: Path) -> None:
    word = "and/or"
    embeddings.type(word, "a | Tea and/or coffee is fine.", "b | Cats and/or dogs, please.")
    embeddings.run()
    embeddings.wait_for_plot(word)
    embeddings.wait_for_address(word=word)
    for kind in ("png", "csv"):
        path = embeddings.save(kind, tmp_path)
        assert path.name == f"minilm-and-or-layer3.{kind}"
        assert path.stat().st_size > 100
