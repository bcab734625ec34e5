"""The command ``worksheet``."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.records import HeadMaps, ModelError
from explorer.saving.metadata import read_provenance
from explorer.saving.worksheet_page import page_provenance, worksheet_page
from explorer.session.session import Session
from explorer.views.inside import head_maps
from tests.cli.shell import TEXT, Command, Run
from tests.computing import computed
from tests.conftest import Folder

WHERE = ("--layer", "3", "--head", "7", "--query", "4")


def test_json(run: Command) -> None:
    ended = run("worksheet", TEXT, *WHERE)
    assert (ended.status, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert (result["kind"], result["query"], result["query_label"]) == ("worksheet", 4, "apple·1")
    expected = np.exp(result["scaled"]) / np.exp(result["scaled"]).sum()
    np.testing.assert_allclose(result["weights"], expected)
    attention = json.loads(run("heatmap", TEXT, "--layer", "3", "--head", "7").out)["attention"]
    np.testing.assert_allclose(result["weights"], attention[4], atol=1e-6)
    assert result["note"] == "scaled = scores × scale; weights = softmax(scaled)"
    assert (result["sink"], result["truncation"], result["drawn_key"]) == (None, None, 0)
    settings = result["settings"]
    assert (settings["layer"], settings["head"], settings["query"], settings["before"]) == (3, 7, 4, False)
    assert (settings["target"], settings["device"], settings["dtype"]) == ("", "cpu", "float32")


def test_files(run: Command, tmp_path: Path) -> None:
    result = json.loads(run("worksheet", TEXT, *WHERE).out)
    page, table = tmp_path / "a.html", tmp_path / "a.csv"
    assert run("worksheet", TEXT, *WHERE, "--digits", "3", "-o", str(page)) == Run(0, "", "")
    written = page.read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>")
    assert all(f"<td>{x:.3f}</td>".replace("-", "−") in written for x in result["q"][:4])
    assert 'class="key"' not in written
    assert run("worksheet", TEXT, *WHERE, "--blank", "-o", str(page), "--force").status == 0
    assert 'class="key"' in page.read_text(encoding="utf-8")
    assert run("worksheet", TEXT, *WHERE, "-o", str(table)) == Run(0, "", "")
    rows = csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"), newline=""))
    assert [float(row["weight"]) for row in rows] == result["weights"]


def told(page: bytes) -> tuple[dict[str, Any], bytes]:
    """A page's record, and the page without it."""
    found = read_provenance(page, "sheet.html")
    before, _, rest = page.partition(b'id="explorer">')
    return found, before + rest.partition(b"</script>")[2]


@pytest.mark.parametrize("text", [TEXT, "-x & 'y' \n<b>."])
def test_a_page_tells_the_command_that_makes_it(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = (*WHERE, "--pair", "-He slept.", "--digits", "3", "--blank", "-o", "first.html")
    assert run("worksheet", *given, "--", text).status == 0
    record, page = told(Path("first.html").read_bytes())
    assert record["page"] == {"digits": 3, "blank": True}
    python, module, explorer, *words = shlex.split(record["command"])
    assert (python, module, explorer) == ("python", "-m", "explorer")
    assert run(*words) == Run(0, "", "")
    again, same = told(Path("worksheet.html").read_bytes())
    assert same == page
    assert again["command"] == record["command"]
    Path("worksheet.html").unlink()
    exec("\n".join(record["python"]), {})
    assert told(Path("worksheet.html").read_bytes())[1] == page


@pytest.mark.parametrize("blank", [False, True])
def test_a_page_of_the_page_tells_it_too(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    own = Session(device="cpu")
    view = computed(own, "worksheet", text=TEXT, layer=3, head=7, target="Sie aß.")
    record, page = told(worksheet_page(own, view, blank=blank).encode())
    assert run(*shlex.split(record["command"])[3:]) == Run(0, "", "")
    assert told(Path("worksheet.html").read_bytes())[1] == page
    drawn = page_provenance(own, view, "pdf", 4, blank, "Letter")
    assert shlex.split(drawn["command"])[-3:] == ["worksheet.pdf", "--", TEXT]
    assert {"--digits=4", "--paper=Letter"} <= set(shlex.split(drawn["command"]))
    assert ("--blank" in drawn["command"]) is blank


def test_a_pair_a_target_and_standard_input(run: Command, folder: Folder) -> None:
    pair = json.loads(run("worksheet", "-", *WHERE, "--pair", "A phone.", stdin=TEXT.encode()).out)
    assert (pair["text"], pair["pair"], len(pair["keys"])) == (TEXT, "A phone.", 16)
    cross = run(
        "worksheet",
        "the cat sat",
        "--target",
        "a dog ran",
        "--stack",
        "cross",
        "--layer",
        "1",
        "--head",
        "2",
        "--query",
        "1",
        "-m",
        str(folder("t5")),
        "--device",
        "cpu",
    )
    result = json.loads(cross.out)
    assert (result["stack"], result["settings"]["target"]) == ("cross", "a dog ran")
    assert sum(result["weights"]) == pytest.approx(1)


def test_a_text_over_the_limit(run: Command) -> None:
    long = "apple " * 600
    assert "reads at most 512" in run("worksheet", long, *WHERE).complaint
    told = "the first 512 of 602 tokens are shown"
    ended = run("worksheet", long, *WHERE, "--truncate")
    assert (ended.status, ended.err) == (0, f"truncated: {told}\n")
    assert json.loads(ended.out)["truncation"] == told


def test_a_model_whose_maps_are_not_known(run: Command, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is before rotation is missing."""
    command = (
        "worksheet",
        "the cat sat",
        "--layer",
        "1",
        "--head",
        "2",
        "--query",
        "2",
        "-m",
        str(folder("llama")),
        "--device",
        "cpu",
    )
    whole = json.loads(run(*command).out)

    def unknown(*_arguments: object) -> HeadMaps:
        raise ModelError("not known")

    monkeypatch.setattr(head_maps, "head_maps", unknown)
    less = json.loads(run(*command).out)
    assert set(whole) - set(less) == {"q_before", "k_before"}
    for one in (whole, less):
        one["provenance"].pop("time")
    assert {key: whole[key] for key in less} == less


def test_an_eager_capture_is_refused(run: Command, folder: Folder) -> None:
    ended = run(
        "worksheet",
        "the cat",
        "--layer",
        "0",
        "--head",
        "0",
        "--query",
        "0",
        "-m",
        str(folder("deberta-v2")),
        "--device",
        "cpu",
    )
    assert ended.status == 1
    assert "was captured eagerly, weights only, because" in ended.complaint
    assert ended.complaint.endswith("queries, keys and values are not known")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--query", "12"], "query 12 is out of range: there are 12 tokens, 0 to 11"),
        (["--query", "-1"], "query -1 is out of range: there are 12 tokens, 0 to 11"),
        (["--query", "apple"], "Invalid value for '--query'"),
        (["--layer", "6"], "layer 6 is out of range: minilm has layers 0 to 5"),
        (["--head", "12"], "head 12 is out of range: minilm has heads 0 to 11"),
        (["--stack", "cross"], "has no cross stack"),
        (["--digits", "0"], "digits 0 is out of range: choose 1 to 6 decimals"),
        (["--digits", "50"], "digits 50 is out of range: choose 1 to 6 decimals"),
        (["--digits", "two"], "Invalid value for '--digits'"),
        (["--paper", "A3"], "unknown paper 'A3': use A4 or Letter"),
        (["-o", "a.png"], "use .html, .pdf, .json or .csv"),
        (["-o", "worksheet"], "use .html, .pdf, .json or .csv"),
    ],
)
def test_bad_use_is_one_line(run: Command, arguments: Sequence[str], said: str) -> None:
    ended = run("worksheet", TEXT, *WHERE, *arguments)
    assert ended.status == 2
    assert said in ended.complaint


def test_no_query(run: Command) -> None:
    ended = run("worksheet", TEXT, "--layer", "0", "--head", "0")
    assert (ended.status, ended.complaint) == (2, "Missing option '--query'.")


def test_a_pdf_without_a_browser(run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    ended = run("worksheet", TEXT, *WHERE, "-o", str(path))
    assert ended.status == 1
    assert ended.complaint.startswith("CHROMIUM=no-such-browser is no program")
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent")
    ended = run("worksheet", TEXT, *WHERE, "-o", str(path))
    assert ended.status == 1
    assert ended.complaint.startswith("a PDF is printed by a browser and none was found: install")
    assert not path.exists()
