"""Figures that are kept: what the browser keeps of them, and the archive of all."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import nullcontext
from dataclasses import replace

import plotly.graph_objects as go
import pytest
from PIL import Image
from pypdf import PdfWriter

import explorer
from explorer.app.kept_figures import entry, kept_of
from explorer.figures.figure_style import FigureStyle
from explorer.saving.bundle import Kept, bundle
from explorer.saving.files import ExportError
from explorer.saving.metadata import read_provenance
from explorer.saving.save import Saving
from explorer.session.session import Session
from explorer.views.registry import VIEWS

TEXT = "She ate an unbelievable apple & <b>."


@pytest.fixture(scope="module")
def session(minilm: explorer.LoadedModel) -> Session:
    return Session.of(explorer.capture(minilm, TEXT))


def kept(**settings) -> Kept:
    return Kept("heatmap", VIEWS["heatmap"].settings.of({"text": TEXT, **settings}))


def test_a_bundle_holds_every_format_and_an_index(session: Session) -> None:
    said: list[str] = []
    data = bundle(session, [kept(layer=1, head=8), kept(layer=0, head=2)], lambda line, _: said.append(line))
    assert said == ["drawing figure 1 of 2", "drawing figure 2 of 2"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        first = "01-minilm-encoder-layer1-head8"
        assert {f"{first}.{kind}" for kind in ("png", "svg", "pdf", "html", "csv", "json", "npz")} <= names
        assert len(names) == 16  # twice seven, the index and the pages' script
        index = archive.read("index.html").decode()
        for name in names - {"index.html", "plotly.min.js"}:
            assert name in index
            read_provenance(archive.read(name), name)
        page = archive.read(f"{first}.html").decode()
        assert '<script charset="utf-8" src="plotly.min.js"></script>' in page


def test_a_bundle_without_a_browser_has_the_rest_and_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    with zipfile.ZipFile(io.BytesIO(bundle(session, [kept(layer=1)]))) as archive:
        kinds = sorted(name.rpartition(".")[2] for name in archive.namelist())
        assert kinds == ["csv", "html", "html", "js", "json", "npz"]
        index = archive.read("index.html").decode()
    assert "PNG, SVG and PDF are left out: CHROMIUM=/no/such/browser is no program" in index
    assert "<iframe" in index


def narrow(**settings) -> Kept:
    """A map that is too wide for 3 cm."""
    return replace(kept(**settings), saving=Saving(look=FigureStyle(width=3)))


def test_what_cannot_be_drawn_is_named(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    said = r"^figure 2 \(the head’s map\) cannot be made: a width of 3 cm is too narrow"
    with pytest.raises(ValueError, match=said):
        bundle(session, [kept(), narrow(head=1)])
    with pytest.raises(ValueError, match=r"^figure 2 .* cannot be made: layer 6 is out of range"):
        bundle(session, [kept(), kept(layer=6)])


class Painter:
    """Draws nothing of the figure; notes each PNG's scale, and fails at the first SVG."""

    def __init__(self) -> None:
        self.scales: list[float] = []
        self.drawn = 0

    def __call__(self, _figure: go.Figure, kind: str, scale: float = 2) -> bytes:
        file = io.BytesIO()
        if kind == "png":
            self.scales.append(scale)
            Image.new("RGB", (1, 1)).save(file, "PNG")
        elif kind == "pdf":
            writer = PdfWriter()
            writer.add_blank_page(10, 10)
            writer.write(file)
        else:
            self.drawn += 1
            if self.drawn == 1:
                raise ExportError("the browser failed to draw the figure: <too large>")
            file.write(b'<svg width="10" height="10"></svg>')
        return file.getvalue()


def test_one_failed_drawing_leaves_out_itself_only(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    paint = Painter()
    monkeypatch.setattr("explorer.saving.bundle.renderer", lambda: nullcontext(paint))
    several = [replace(kept(head=head), saving=Saving(dots=head + 1)) for head in (0, 1)]
    with zipfile.ZipFile(io.BytesIO(bundle(session, several))) as archive:
        names = {name for name in archive.namelist() if name[0] in "01"}
        index = archive.read("index.html").decode()
    assert {name[:2] + name.rpartition(".")[2] for name in names} == {
        f"{number}{kind}" for number in ("01", "02") for kind in ("png", "svg", "pdf", "html", "csv", "json", "npz")
    } - {"01svg"}
    first, second = index.split("<section>")[1:]
    reason = "the browser failed to draw the figure: &lt;too large&gt;."
    assert f"SVG is left out: {reason}" in first
    assert "<iframe" in first
    assert "left out" not in second
    assert "<img" in second
    assert paint.scales == [1, 2]  # dots a pixel, as they were kept


@pytest.mark.parametrize("dots", [1.0, 4.0])
def test_what_the_browser_keeps_is_what_was_chosen(session: Session, dots: float) -> None:
    saving = Saving("map", FigureStyle(theme="dark", width=2, unit="columns"), dots)
    one = json.loads(json.dumps(entry(session, VIEWS["heatmap"], {"text": TEXT, "head": 2}, saving)))
    assert kept_of(one) == Kept("heatmap", kept(head=2).settings, saving)
    del one["dots"]  # as it was kept before
    assert kept_of(one).saving == replace(saving, dots=2)


@pytest.mark.parametrize("other", [{"kind": "hologram"}, {"look": {"shine": 3}}])
def test_what_another_version_kept_is_one_line(session: Session, other) -> None:
    one = entry(session, VIEWS["heatmap"], {"text": TEXT}, Saving()) | other
    with pytest.raises(ValueError, match=r"^the head’s map: .* is of another version: remove it"):
        kept_of(one)


def test_what_cannot_be_drawn_is_not_kept(session: Session) -> None:
    with pytest.raises(ValueError, match="a width of 3 cm is too narrow for this figure’s labels"):
        entry(session, VIEWS["heatmap"], {"text": TEXT}, Saving(look=FigureStyle(width=3)))
    apart = {"text": "Cats sleep", "other_text": "dogs ate it"}
    with pytest.raises(ValueError, match="no word in common"):
        entry(session, VIEWS["comparison"], apart, Saving("difference"))


def test_a_bundle_of_nothing_says_what_to_do(session: Session) -> None:
    with pytest.raises(ValueError, match="nothing is kept yet: press Keep below a figure first"):
        bundle(session, [])
    with pytest.raises(ValueError, match="61 figures are too many"):
        bundle(session, [kept()] * 61)
