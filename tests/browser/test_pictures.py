"""Pictures that are drawn without a page: real files, the text as typed, nothing from a network."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import psutil
import pytest
import transformers as tf
from choreographer import Browser
from PIL import Image

import explorer
from explorer.cli.main import main
from explorer.figures.figure_style import FigureStyle, SizedFigure, styled
from explorer.saving.browser import named_browser
from explorer.saving.files import ExportError
from explorer.saving.printing import printer
from explorer.saving.rendering import figure_bytes, renderer
from explorer.views.heads.heatmap.compute import head_map
from explorer.views.heads.heatmap.figure import sized_heatmap
from tests.browser.pdfs import pages
from tests.checkpoints import spread
from tests.vocabularies import wordpiece

TEXT = 'She\'s <b>bold</b> & "apples"'


def ready(picture: SizedFigure) -> go.Figure:
    """A picture with its caption and size, as it is saved."""
    return styled(picture, FigureStyle()).figure


def svg_texts(data: bytes) -> list[str]:
    root = ElementTree.fromstring(data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))
    return [text for text in texts if text]


def test_svg_shows_the_tokens_as_typed(minilm: explorer.LoadedModel, capfd: pytest.CaptureFixture[str]) -> None:
    drawn = head_map(explorer.capture(minilm, TEXT), 1, 8)
    data = figure_bytes(ready(sized_heatmap(drawn)), "svg")
    texts = svg_texts(data)
    assert set(drawn.queries) <= set(texts)
    assert any("layer 1, head 8 (counted from 0)" in text for text in texts)
    addresses = set(re.findall(rb"https?://[^\"')\s]+", data))
    assert addresses <= {b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink"}
    assert capfd.readouterr() == ("", "")


def test_a_large_maps_svg_is_dots_under_text_and_is_said_to_be(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tokenizer = wordpiece()
    config = tf.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=1_024,
    )
    folder, path = tmp_path / "tiny", tmp_path / "large.svg"
    spread(tf.BertModel(config)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    where = ("--layer", "0", "--head", "1", "--model", str(folder), "--device", "cpu")
    capfd.readouterr()
    assert main(["heatmap", "cat " * 1_022, *where, "-o", str(path)]) == 0
    assert capfd.readouterr() == (
        "",
        "dots in SVG and PDF, as in a PNG: a map of more than 16,384 cells; labels are text\n",
    )
    data = path.read_bytes()
    images = list(ElementTree.fromstring(data).iter("{http://www.w3.org/2000/svg}image"))
    dots = [image.get("{http://www.w3.org/1999/xlink}href", "") for image in images]
    (cells,) = [one for one in dots if one.startswith("data:image/png;base64,")]
    with Image.open(io.BytesIO(base64.b64decode(cells.partition(",")[2]))) as picture:
        assert min(picture.size) > 1_000
    texts = svg_texts(data)
    # Of 1,024 labels a side every 26th is written, counted from 0: 40 of them.
    labels = ["[CLS]", *(f"cat·{place}" for place in range(26, 1_023, 26))]
    assert [texts.count(label) for label in labels] == [2] * len(labels)
    assert any("layer 0, head 1 (counted from 0)" in text for text in texts)


def test_png_is_twice_the_figures_size_and_coloured(minilm: explorer.LoadedModel) -> None:
    figure = ready(sized_heatmap(head_map(explorer.capture(minilm, "She ate."), 1, 8)))
    with Image.open(io.BytesIO(figure_bytes(figure, "png"))) as picture:
        assert picture.format == "PNG"
        assert picture.size == (2 * figure.layout.width, 2 * figure.layout.height)
        colours = {colour for _, colour in picture.convert("RGB").getcolors(10_000_000)}
    assert {(255, 255, 255), (253, 231, 37)} <= colours  # paper, and viridis at the largest weight
    assert len(colours) > 50


def test_the_command_line_draws_the_telling_layer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sentences = tmp_path / "apple.tsv"
    sentences.write_text(
        "fruit\tShe ate an apple.\nfruit\tThe apple fell.\nfirm\tApple sells phones.\nfirm\tHe works at Apple.\n",
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
        f"a picture shows one layer: {best}, where the senses separate most (separation "
        f"{max(separation):.2f}); --layers chooses another"
    )
    both = [*result["notes"], result["verdict"]]
    assert said.err.splitlines() == [*both, *both, layer_line]
    assert f"“apple” in minilm · layer {best}" in svg_texts(picture.read_bytes())


@pytest.mark.parametrize("command", ["heatmap", "worksheet"])
def test_many_texts_share_a_browser(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    started = []
    opened = Browser.open

    async def counted(browser: Browser) -> None:
        started.append(browser)
        await opened(browser)

    monkeypatch.setattr(Browser, "open", counted)
    texts = tmp_path / "texts.txt"
    texts.write_text("She ate.\nHe slept.\nThey left.\n", encoding="utf-8")
    asked = [command, "--from", str(texts), "--layer", "1", "--head", "8"]
    more = ["--query", "1"] if command == "worksheet" else []
    assert main([*asked, *more, "-o", str(tmp_path / "out"), "--format", "pdf"]) == 0
    assert capfd.readouterr() == ("", "")
    assert len(started) == 1
    written = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in written] == ["1-she-ate.pdf", "2-he-slept.pdf", "3-they-left.pdf"]
    for path, word in zip(written, ["ate", "slept", "left"], strict=True):
        assert word in pages(path.read_bytes())[0].text


def test_pdf_is_one_page_of_lines_and_text(minilm: explorer.LoadedModel) -> None:
    drawn = head_map(explorer.capture(minilm, TEXT), 1, 8)
    figure = ready(sized_heatmap(drawn))
    data = figure_bytes(figure, "pdf")
    (page,) = pages(data)
    # A pixel is 1/96 inch and a point 1/72; Chromium rounds paper to whole pixels.
    assert page.width == pytest.approx(figure.layout.width * 0.75, abs=1)
    assert page.height == pytest.approx(figure.layout.height * 0.75, abs=1)
    assert b"/BaseFont" in data
    assert all(query in page.text for query in drawn.queries)
    assert "layer1,head8(countedfrom0)" in page.text
    # Nothing but the cells is an image: it lies within the axes.
    images = re.findall(rb"/Subtype /Image\n/Width (\d+)\n/Height (\d+)", data)
    assert images
    assert all(int(width) <= figure.layout.width - 100 for width, _ in images)
    assert all(int(height) <= figure.layout.height - 100 for _, height in images)


def test_pdf_of_lines_holds_no_image() -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[1, 0]), {"width": 300, "height": 200})
    assert b"/Subtype /Image" not in figure_bytes(figure, "pdf")


@pytest.mark.parametrize(("scale", "kind"), [(1, "png"), (3, "png"), (3, "svg")])
def test_scale_is_of_pixels(scale: int, kind: str) -> None:
    figure = go.Figure(layout={"width": 300, "height": 200})
    data = figure_bytes(figure, kind, scale)
    if kind == "png":
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == (300 * scale, 200 * scale)
    else:
        root = ElementTree.fromstring(data)
        assert (root.get("width"), root.get("height")) == ("300", "200")


def browsers() -> set[int]:
    """The browsers that this process has open, by their process ids.

    Each is started by a process of choreographer's; a browser's own processes have a type.
    """
    found = set()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            words = child.cmdline()  # none, of one that has ended
            piped = "--remote-debugging-pipe" in words and "chrom" in words[0]
            if piped and not any(word.startswith("--type=") for word in words):
                found.add(child.pid)
    return found


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for the names of a browser's sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


class TestOneBrowser:
    def figure(self, number: int) -> go.Figure:
        title = {"text": f"figure {number}"}
        return go.Figure(layout={"width": 300, "height": 200, "title": title})

    def test_for_many_figures_and_kinds(self) -> None:
        before = browsers()
        with renderer() as draw:
            assert browsers() == before  # it starts with the first figure
            seen = set()
            for number, kind in enumerate(["svg", "pdf", "svg", "png"]):
                data = draw(self.figure(number), kind)
                seen |= browsers() - before
                assert kind == "png" or f"figure{number}" in (
                    pages(data)[0].text if kind == "pdf" else "".join(svg_texts(data)).replace(" ", "")
                )
            assert len(seen) == 1
        assert browsers() == before

    def test_for_many_pages(self) -> None:
        with printer() as print_page:
            texts = [pages(print_page(f"<p>page {number}"))[0].text for number in range(3)]
        assert texts == ["page0", "page1", "page2"]

    def test_from_threads(self) -> None:
        with renderer() as draw, ThreadPoolExecutor(3) as threads:
            drawn = list(threads.map(lambda n: draw(self.figure(n), "svg"), range(5)))
        assert [svg_texts(data)[-1] for data in drawn] == [f"figure {n}" for n in range(5)]

    def test_inside_an_event_loop(self) -> None:
        """As in a notebook, whose cells run in one."""

        async def cell() -> bytes:
            return figure_bytes(self.figure(7), "svg")

        assert svg_texts(asyncio.run(cell()))[-1] == "figure 7"

    def test_after_an_error(self) -> None:
        with renderer() as draw:
            with pytest.raises(ValueError, match=r"not drawn as 'bmp': use png, svg, pdf$"):
                draw(self.figure(0), "bmp")
            assert svg_texts(draw(self.figure(1), "svg"))[-1] == "figure 1"

    def test_one_that_dies(self) -> None:
        before = browsers()
        with renderer() as draw:
            draw(self.figure(0), "svg")
            for browser in browsers() - before:
                psutil.Process(browser).kill()
            with pytest.raises(ExportError) as raised:
                draw(self.figure(1), "svg")
        assert "browser" in str(raised.value)
        assert "\n" not in str(raised.value)
        assert browsers() == before

    def test_ctrl_c_leaves_none(self, short_folder: Path) -> None:
        program = (
            "import plotly.graph_objects as go\n"
            "from explorer.saving.rendering import renderer\n"
            "try:\n"
            "    with renderer() as draw:\n"
            "        draw(go.Figure(), 'svg')\n"
            "        print('drawing', flush=True)\n"
            "        while True:\n"
            "            draw(go.Figure(), 'svg')\n"
            "except KeyboardInterrupt:\n"
            "    print('ended')\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "CHROMIUM": str(named_browser()), "TMPDIR": str(short_folder)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout is not None
        begun = process.stdout.readline()
        assert begun == "drawing\n", process.communicate()[1]
        children = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "ended\n", "")
        gone, alive = psutil.wait_procs(children, timeout=10)
        assert (len(gone) > 0, alive) == (True, [])
        assert not [name for name in os.listdir(short_folder) if not name.startswith("torch")]
