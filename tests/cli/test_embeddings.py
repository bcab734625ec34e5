"""The command ``embeddings``."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

from explorer.text.example_sets import EXAMPLE_SETS
from tests.browser import eager
from tests.cli.shell import Command
from tests.conftest import Folder

SENTENCES = (
    "fruit\tShe ate an apple after lunch.\n"
    "\n"
    "fruit\tThe apple fell from the old tree.\r\n"
    "company\tShe works at Apple in California.\n"
    "company\tThe phone\tfrom Apple sold well.\n"
    "fruit\tPears are sweeter."
)


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    path = tmp_path / "apple.tsv"
    path.write_text(SENTENCES, encoding="utf-8", newline="")
    return path


def test_json(run: Command, sentences: Path) -> None:
    ended = run("embeddings", "--word", "apple", "--sentences", str(sentences))
    result = json.loads(ended.out)
    assert ended.status == 0
    left_out, unbalanced, verdict = ended.err.splitlines()
    assert left_out == "sentence 5 does not hold “apple” and is left out"
    # With [CLS] at 0: fruit at 4 and 2, company at 4 and 4.
    assert unbalanced.startswith(
        "the position of “apple” differs between the senses (mean token: fruit 3.0, company 4.0; p"
    )
    assert result["notes"] == [unbalanced]
    assert verdict == result["verdict"]
    assert "2 + 2 sentences are too few to show that fruit and company separate" in verdict
    assert result["layers"] == list(range(7))
    assert result["sentences"][1] == {"text": "The apple fell from the old tree.", "sense": "fruit"}
    assert result["sentences"][3]["text"] == "The phone\tfrom Apple sold well."
    assert len(result["points"]) == 7 * 4
    assert all(-1 <= value <= 1 for value in result["separation"])
    assert result["settings"]["match_case"] is False


def test_a_ready_set_has_nothing_to_note(run: Command) -> None:
    rows = "".join(f"{sense}\t{sentence}\n" for sense, sentence in EXAMPLE_SETS["apple"].rows)
    ended = run("embeddings", "--word", "apple", "--sentences", "-", stdin=rows.encode())
    result = json.loads(ended.out)
    assert result["notes"] == []
    assert ended.err.splitlines() == [result["verdict"]]


def test_the_numbers_are_scikit_learns(run: Command) -> None:
    """Of states straight from transformers: silhouettes, and PCA of each layer with the statics."""
    ready = EXAMPLE_SETS["apple"]
    rows = "".join(f"{sense}\t{sentence}\n" for sense, sentence in ready.rows)
    ended = run("embeddings", "--word", ready.word, "--sentences", "-", stdin=rows.encode())
    result = json.loads(ended.out)
    contextual, static = eager.word_vectors("minilm", [s for _, s in ready.rows], ready.word)
    senses = [sense for sense, _ in ready.rows]
    expected = [silhouette_score(layer, senses, metric="cosine") for layer in contextual]
    np.testing.assert_allclose(result["separation"], expected, atol=1e-4)
    for layer, vectors in enumerate(contextual):
        fitted = np.concatenate([vectors, static]).astype(np.float64)
        pca = PCA(2, svd_solver="full").fit(fitted)
        told = result["explained_variance"][str(layer)]
        np.testing.assert_allclose(told, pca.explained_variance_ratio_, atol=1e-4)
        points = [(p["x"], p["y"]) for p in result["points"] if p["layer"] == layer]
        theirs = pca.transform(vectors)
        np.testing.assert_allclose(np.abs(points), np.abs(theirs), atol=1e-3 * theirs.max())


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_it_goes(run: Command, sentences: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    assert run("embeddings", "--word", "apple", "--sentences", str(sentences)).status == 0
    wiped, after = seen.getvalue().rsplit("\x1b[2K", 1)
    assert "random words, layer 6" in wiped
    assert after.strip().startswith("sentence 5 does not hold")


def test_options(run: Command, sentences: Path) -> None:
    ended = run(
        "embeddings",
        "--word",
        "Apple",
        "--sentences",
        str(sentences),
        "--match-case",
        "--layers",
        "3, 0",
        "--normalise",
        "unit",
        "--quiet",
    )
    result = json.loads(ended.out)
    assert ended.err == ""
    assert result["layers"] == [3, 0]
    assert [p["sentence"] for p in result["points"]] == [2, 3, 2, 3]
    assert result["separation"] == [None] * 7
    assert result["settings"]["normalise"] == "unit"


@pytest.mark.parametrize(
    ("basis", "fitted"),
    [
        ("layer", "PCA of the 4 vectors of “apple” at layer 2 together with"),
        ("all", "PCA of the 4 vectors of “apple” at all layers, 0 to 6, together with"),
        ("vocabulary", "PCA of the static vectors of 2,000 words drawn evenly"),
    ],
)
def test_a_basis_and_anchors(run: Command, sentences: Path, basis: str, fitted: str) -> None:
    arguments = (
        "embeddings",
        "--word",
        "apple",
        "--sentences",
        str(sentences),
        "--layers",
        "2",
        "--basis",
        basis,
        "--anchors",
        "banana, Google",
        "--quiet",
    )
    result = json.loads(run(*arguments).out)
    assert result["basis"] == basis
    assert result["fit"].startswith(fitted)
    assert result["settings"]["anchors"] == ["banana", "Google"]
    placed = [(anchor["word"], anchor["kind"]) for anchor in result["anchors"]]
    words = ("banana", "Google")
    assert placed == [(word, kind) for kind in ("contextual", "static") for word in words]
    table = sentences.with_suffix(".csv")
    assert run(*arguments, "-o", str(table)).status == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"), newline="")))
    drawn = [(point["x"], point["y"]) for key in ("points", "static", "anchors") for point in result[key]]
    assert [(float(row["x"]), float(row["y"])) for row in rows] == drawn
    page = sentences.with_suffix(".html")
    assert run(*arguments, "-o", str(page)).status == 0
    assert "Plotly.newPlot(" in page.read_text(encoding="utf-8")


def test_a_picture(run: Command, sentences: Path) -> None:
    picture = sentences.with_suffix(".png")
    arguments = ("--word", "apple", "--sentences", str(sentences), "--layers", "2", "--quiet")
    assert run("embeddings", *arguments, "-o", str(picture)).status == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_csv_from_standard_input(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "apple.csv"
    ended = run(
        "embeddings",
        "--word",
        "apple",
        "--sentences",
        "-",
        "--layers",
        "2",
        "-o",
        str(path),
        stdin=b"\xef\xbb\xbf" + SENTENCES.encode(),
    )
    assert ended.status == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    assert [(row["kind"], row["sense"], row["layer"]) for row in rows[:3]] == [
        ("contextual", "fruit", "2"),
        ("contextual", "fruit", "2"),
        ("contextual", "company", "2"),
    ]


def test_an_encoder_decoders_encoder_is_read(run: Command, folder: Folder) -> None:
    """Nothing is generated for it."""
    ended = run(
        "embeddings",
        "--word",
        "cat",
        "--sentences",
        "-",
        "-m",
        str(folder("t5")),
        "--device",
        "cpu",
        stdin=b"a\tthe cat sat\nb\ta cat ran\n",
    )
    assert ended.status == 0
    assert len(json.loads(ended.out)["static"]) == 2 * len(json.loads(ended.out)["layers"])


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (b"a\tan apple\nno tab here\n", [], "line 2 has no tab: write the sense, a tab"),
        (b"a\tan apple\nb\t  \n", [], "line 2 has no sentence after its tab"),
        (b"\n \n", [], "has no sentence: write lines of sense, tab, sentence"),
        (b"a\tan apple\nb\tcaf\xe9\n", [], "line 2 is not UTF-8: save it in that encoding"),
        (b"a\tan apple\n\nb\t" + b"x " * 600, [], "line 3: the text has 602 tokens"),
        (b"a\ta pear\n", [], "“apple” is in none of the 1 sentences"),
        (b"a\tan apple\n", ["--layers", "7"], "layer 7 is out of range: minilm has layers"),
        (b"a\tan apple\n", ["--layers", "1,x"], "layers 1,x is not a list of layers: write"),
        (b"a\tan apple\n", ["--layers", ""], "is not a list of layers"),
        (b"a\tan apple\n", ["--basis", "both"], "unknown basis 'both': use layer, all, vocabulary"),
        (b"a\tan apple\n", ["--normalise", "max"], "unknown normalisation 'max': use none"),
    ],
)
def test_bad_use_is_one_line(run: Command, tmp_path: Path, content: bytes, arguments: list[str], said: str) -> None:
    path = tmp_path / "apple.tsv"
    path.write_bytes(content)
    ended = run("embeddings", "--word", "apple", "--sentences", str(path), *arguments)
    assert ended.status == 2
    assert said in ended.complaint


def test_a_file_that_is_not_there(run: Command, tmp_path: Path) -> None:
    for path in (tmp_path / "none.tsv", tmp_path):
        ended = run("embeddings", "--word", "apple", "--sentences", str(path))
        assert ended.status == 2
        assert f"{path} cannot be read" in ended.complaint
