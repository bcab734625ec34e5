"""Pictures that are drawn without a page: real files, the text as typed, nothing from a network."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import explorer
from explorer.cli import main
from explorer.export.heatmap import heatmap_picture
from explorer.export.pictures import figure_bytes
from explorer.views.maps import head_map

TEXT = 'She\'s <b>bold</b> & "apples"'


def svg_texts(data: bytes) -> list[str]:
    root = ElementTree.fromstring(data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))
    return [text for text in texts if text]


def test_svg_shows_the_tokens_as_typed(
    minilm: explorer.LoadedModel, capfd: pytest.CaptureFixture[str]
) -> None:
    drawn = head_map(explorer.capture(minilm, TEXT), 1, 8)
    data = figure_bytes(heatmap_picture(drawn), "svg")
    texts = svg_texts(data)
    assert set(drawn.queries) <= set(texts)
    assert any("layer 1, head 8 (counted from 0)" in text for text in texts)
    addresses = set(re.findall(rb"https?://[^\"')\s]+", data))
    assert addresses <= {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink"}
    assert capfd.readouterr() == ("", "")


def test_png_is_twice_the_figures_size_and_coloured(minilm: explorer.LoadedModel) -> None:
    figure = heatmap_picture(head_map(explorer.capture(minilm, "She ate."), 1, 8))
    with Image.open(io.BytesIO(figure_bytes(figure, "png"))) as picture:
        assert picture.format == "PNG"
        assert picture.size == (2 * figure.layout.width, 2 * figure.layout.height)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(10_000_000)}
    assert {(255, 255, 255), (253, 231, 37)} <= colours  # paper, and viridis at the largest weight
    assert len(colours) > 50


def test_the_command_line_draws_the_telling_layer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sentences = tmp_path / "apple.tsv"
    sentences.write_text(
        "fruit\tShe ate an apple.\nfruit\tThe apple fell.\n"
        "firm\tApple sells phones.\nfirm\tHe works at Apple.\n",
        encoding="utf-8",
    )
    picture = tmp_path / "apple.svg"
    common = ["embeddings", "--word", "apple", "--sentences", str(sentences)]
    assert main([*common, "-o", str(tmp_path / "apple.json")]) == 0
    assert main([*common, "-o", str(picture)]) == 0
    said = capfd.readouterr()
    result = json.loads((tmp_path / "apple.json").read_text(encoding="utf-8"))
    separation = result["separation"]
    best = int(np.argmax(separation))
    assert said.out == ""
    layer_line = (
        f"a picture shows one layer: {best}, where the senses part most (separation "
        f"{max(separation):.2f}); --layers chooses another"
    )
    both = [*result["notes"], result["verdict"]]
    assert said.err.splitlines() == [*both, *both, layer_line]
    assert f"“apple” in minilm · layer {best}" in svg_texts(picture.read_bytes())
