"""Every format that the views of the Heads page are saved in, opened by a reader of its own."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from explorer.saving.rendering import Draw, renderer
from explorer.saving.save import FORMATS, saved
from explorer.session.session import Session
from tests.checkpoints import PAIR
from tests.computing import computed, computed_at, link_of
from tests.conftest import Folder

SVG = "{http://www.w3.org/2000/svg}"
# Text that each kind's drawing holds.
LABELS = {
    "heatmap": ("[CLS]", "dog", "key (attended to)"),
    "lines": ("dog",),
    "comparison": ("[CLS]", "dog", "key (attended to)"),
    "distances": ("nats)", "layer"),
    "overview": ("layer", "head"),
    "heads": ("Entropy", "Previous token"),
}


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(device="cpu")


@pytest.fixture(scope="module")
def draw() -> Iterator[Draw]:
    with renderer() as made:
        yield made


@pytest.mark.parametrize("name", LABELS)
def test_all_open(session: Session, folder: Folder, draw: Draw, name: str) -> None:
    told = {"model": str(folder("bert")), "text": "A dog ate.", "pair": PAIR}
    view = computed(session, name, **told)
    files = {kind: saved(session, view, kind, draw=draw) for kind in FORMATS}
    assert set(files) == {"png", "svg", "pdf", "html", "csv", "json", "npz"}
    with Image.open(io.BytesIO(files["png"])) as picture:
        picture.load()
        assert len(picture.convert("RGB").getcolors(10_000_000) or []) > 20
        assert json.loads(picture.info["explorer"])["kind"] == name
    svg = _texts(ElementTree.fromstring(files["svg"]))
    pdf = "".join(page.extract_text() for page in PdfReader(io.BytesIO(files["pdf"])).pages)
    for label in LABELS[name]:
        assert label in svg, label
        assert label.replace(" ", "") in pdf.replace(" ", "").replace("\n", ""), label
    page = html.unescape(files["html"].decode())
    assert f"kind='{name}'" in page
    assert 'src="http' not in page
    rows = list(csv.reader(io.StringIO(files["csv"].decode())))
    assert [tuple(row[:-1]) for row in rows[:1]] == [view.table().header]
    assert len(rows) == 1 + len(view.table().rows)
    numbers = json.loads(files["json"])
    assert (numbers["kind"], numbers["model"]) == (name, told["model"])
    assert numbers["provenance"]["link"] == link_of(view)
    with np.load(io.BytesIO(files["npz"]), allow_pickle=False) as arrays:
        for key, values in _arrays(name, numbers).items():
            np.testing.assert_allclose(arrays[key], np.array(values, dtype=float))
    again, remarks = computed_at(session, f"{link_of(view)}&kind={name}")
    assert (again.result(), remarks) == (view.result(), ())


def _arrays(name: str, numbers: dict[str, Any]) -> dict[str, Any]:
    if name == "lines":
        return {"lines.weight": [line["weight"] for line in numbers["lines"]]}
    if name in ("distances", "heads"):
        return {"heads.entropy": [row["entropy"] for row in numbers["heads"]]}
    key = {"heatmap": "attention", "comparison": "difference", "overview": "maps"}[name]
    return {key: numbers[key]}


def _texts(root: ElementTree.Element) -> str:
    assert root.tag == f"{SVG}svg"
    return "\n".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))
