"""The save buttons: every file opens and holds what is on the screen."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from tests.browser.driving import App, Embeddings, Heads


def _graph_size(app: App) -> tuple[int, int]:
    width, height = app.page.evaluate(
        "id => { const plot = document.querySelector(`#${id} .js-plotly-plot`);"
        "return [plot.clientWidth, plot.clientHeight]; }",
        app.graph,
    )
    return width, height


def _assert_is_picture(path: Path, app: App) -> None:
    width, height = _graph_size(app)
    with Image.open(path) as picture:
        picture.load()
        assert picture.size == (3 * width, 3 * height)
        # A blank or cut picture has next to no colours.
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
    assert header[1:] == drawn.keys
    assert [row[0] for row in rows] == drawn.queries
    weights = np.array([row[1:] for row in rows], dtype=np.float64)
    np.testing.assert_allclose(weights, drawn.weights, rtol=1e-6)


def test_causal_zeros_in_the_file(heads: Heads, sentence: str, tmp_path: Path) -> None:
    heads.type(sentence)
    heads.choose_model("smollm2")
    heads.wait_for_address(model="smollm2", text=sentence)
    drawn = heads.drawn()
    header, *rows = _rows(heads.save("csv", tmp_path))
    weights = np.array([row[1:] for row in rows], dtype=np.float64)
    assert header[1:] == drawn.keys
    assert drawn.hatched.any()
    np.testing.assert_array_equal(weights[drawn.hatched], 0)
    np.testing.assert_allclose(weights[~drawn.hatched], drawn.weights[~drawn.hatched], rtol=1e-6)


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
    assert [row["sense"] for row in rows if row["kind"] == "contextual"] == (
        ["fruit"] * 6 + ["company"] * 6
    )
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
        assert path.parent == tmp_path
        assert path.stat().st_size > 100
