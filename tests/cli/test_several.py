"""One text or many: what is read, which files are written, what is said of those that fail."""

from __future__ import annotations

import codecs
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import ROOT, Command, Run

TEXTS = ("She ate an apple.", "He slept; all day!", "  naïve café ")
WHERE = ("--layer", "1", "--head", "8")


def told(path: Path) -> list[list[str]]:
    """A table's rows without its last column, whose head tells when the file was made."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row[:-1] for row in csv.reader(file)]


@pytest.fixture
def texts(tmp_path: Path) -> str:
    """Three texts, with blank lines between and no end of the last line."""
    path = tmp_path / "texts.txt"
    path.write_bytes(f"{TEXTS[0]}\r\n\n \t\n{TEXTS[1]}\n{TEXTS[2]}".encode())
    return str(path)


class TestRead:
    def test_json_lines(self, run: Command, texts: str) -> None:
        ended = run("heatmap", "--from", texts, *WHERE)
        assert (ended.status, ended.err) == (0, "")
        lines = ended.out.removesuffix("\n").split("\n")
        results = [json.loads(line) for line in lines]
        assert [result["text"] for result in results] == list(TEXTS)
        alone = json.loads(run("heatmap", TEXTS[1], *WHERE).out)
        for one in (results[1], alone):
            one["provenance"].pop("time")
        assert results[1] == alone

    def test_one_line_is_a_line_too(self, run: Command) -> None:
        ended = run("heads", "--from", "-", stdin="She ate.\u2028Then left.\n".encode())
        assert ended.out.count("\n") == 1
        assert json.loads(ended.out)["text"] == "She ate.\u2028Then left."

    @pytest.mark.parametrize(
        "data", ["a\nb\n".encode("utf-8-sig"), codecs.BOM_UTF16_BE + "a\nb".encode("utf-16-be"), b"a\rb"]
    )
    def test_encodings_and_line_ends(self, run: Command, data: bytes) -> None:
        lines = run("heatmap", "--from", "-", *WHERE, stdin=data).out.splitlines()
        assert [json.loads(line)["text"] for line in lines] == ["a", "b"]

    @pytest.mark.parametrize("command", ["heatmap", "heads", "worksheet"])
    def test_one_source_is_needed(self, run: Command, texts: str, command: str) -> None:
        where = {"heatmap": WHERE, "heads": (), "worksheet": (*WHERE, "--query", "0")}[command]
        ended = run(command, *where)
        assert (ended.status, ended.complaint) == (
            2,
            "there is no text: give a TEXT, or a file of texts with --from FILE",
        )
        ended = run(command, "hi", "--from", texts, *where)
        assert (ended.status, ended.complaint) == (2, "give either a TEXT or a file of texts with --from, not both")

    def test_files_that_cannot_be_read(self, run: Command, tmp_path: Path) -> None:
        missing = str(tmp_path / "none.txt")
        ended = run("heads", "--from", missing)
        assert (ended.status, ended.complaint) == (2, f"{missing} cannot be read: No such file or directory")
        assert "Is a directory" in run("heads", "--from", str(tmp_path)).complaint
        blank = run("heads", "--from", "-", stdin=b"\n \n")
        assert blank.complaint == "standard input holds no text: write one a line"
        broken = run("heads", "--from", "-", stdin=b"ok\nna\xefve")
        assert broken.complaint.startswith("standard input, line 2 is not UTF-8")


class TestWritten:
    def test_names_with_numbers(self, run: Command, texts: str, tmp_path: Path) -> None:
        path = tmp_path / "map.csv"
        assert run("heatmap", "--from", texts, *WHERE, "-o", str(path)) == Run(0, "", "")
        names = [f"map-{number}.csv" for number in (1, 2, 3)]
        assert sorted(os.listdir(tmp_path)) == [*names, "texts.txt"]
        for name, text in zip(names, TEXTS, strict=True):
            alone = tmp_path / "alone.csv"
            assert run("heatmap", text, *WHERE, "-o", str(alone), "--force").status == 0
            assert told(tmp_path / name) == told(alone)

    def test_numbers_sort(self, run: Command, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        given = "".join(f"text {number}\n" for number in range(1, 12)).encode()
        assert run("heatmap", "--from", "-", *WHERE, "-o", str(path), stdin=given).status == 0
        written = [json.loads(file.read_text())["text"] for file in sorted(tmp_path.iterdir())]
        assert written == [f"text {number}" for number in range(1, 12)]

    def test_one_text_keeps_the_name(self, run: Command, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        assert run("heads", "--from", "-", "-o", str(path), stdin=b"She ate.\n").status == 0
        assert os.listdir(tmp_path) == ["a.csv"]

    def test_a_folder(self, run: Command, texts: str, tmp_path: Path) -> None:
        folder = tmp_path / "out"
        assert run("heads", "--from", texts, "-o", f"{folder}/").status == 0
        names = ["1-she-ate-an-apple", "2-he-slept-all-day", "3-naïve-café"]
        assert sorted(os.listdir(folder)) == [f"{name}.json" for name in names]
        assert json.loads((folder / "3-naïve-café.json").read_text("utf-8"))["text"] == TEXTS[2]
        assert run("heads", "--from", texts, "-o", str(folder), "--format", "csv").status == 0
        with (folder / "2-he-slept-all-day.csv").open(encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == 72

    def test_one_text_into_a_folder(self, run: Command, tmp_path: Path) -> None:
        long = "word " * 30
        assert run("heads", long, "-o", str(tmp_path)).status == 0
        assert run("heads", "?!", "-o", str(tmp_path / "new"), "--format", "csv").status == 0
        assert os.listdir(tmp_path / "new") == ["text.csv"]
        assert (tmp_path / f"{'word-' * 8}".removesuffix("-")).with_suffix(".json").is_file()

    def test_worksheets(self, run: Command, texts: str, tmp_path: Path) -> None:
        path = tmp_path / "sheet.html"
        ended = run("worksheet", "--from", texts, *WHERE, "--query", "1", "-o", str(path))
        assert ended == Run(0, "", "")
        assert "slept" in (tmp_path / "sheet-2.html").read_text("utf-8")

    def test_existing_files_are_found_before_a_model_is_loaded(self, run: Command, texts: str, tmp_path: Path) -> None:
        last = tmp_path / "map-3.csv"
        last.write_text("mine")
        asked = ("heatmap", "--from", texts, *WHERE, "-o", str(tmp_path / "map.csv"))
        ended = run(*asked, "-m", "./none")
        assert (ended.status, ended.complaint) == (
            2,
            f"{last} exists: choose another name, or overwrite it with --force",
        )
        assert run(*asked, "--force").status == 0
        assert last.read_text("utf-8") != "mine"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--format", "bmp"], "unknown format 'bmp': use png, svg, pdf"),
            (["-o", "a.png", "--format", "svg"], "a.png and --format svg are two formats"),
            (["-o", "a.bmp", "--format", "svg"], "a.bmp has no ending that names a format"),
            (["-o", "none/out"], "none/out cannot be written: there is no folder none"),
            (["-o", "none/a.png"], "there is no folder none"),
            (["-o", "LICENSE"], "LICENSE is a file, and a folder is needed"),
            (["--format", "csv"], "several texts as csv need files: name them with -o"),
        ],
    )
    def test_bad_use_is_one_line(
        self, run: Command, texts: str, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(ROOT)
        ended = run("heatmap", "--from", texts, *WHERE, "-m", "./none", *arguments)
        assert ended.status == 2
        assert said in ended.complaint

    def test_a_format_for_standard_output(self, run: Command, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        assert run("heatmap", TEXTS[0], *WHERE, "-o", str(path)).status == 0
        out = run("heatmap", TEXTS[0], *WHERE, "--format", "csv").out
        printed = tmp_path / "printed.csv"
        printed.write_text(out, encoding="utf-8", newline="")
        assert told(printed) == told(path)


class TestFailed:
    def test_the_others_are_written(self, run: Command, tmp_path: Path) -> None:
        given = f"She ate.\n\n{'apple ' * 600}\nHe slept.\n\udcff".encode(errors="surrogatepass")
        broken = run("heatmap", "--from", "-", *WHERE, stdin=given)
        assert broken.status == 2  # no text file at all
        given = f"She ate.\n\n{'apple ' * 600}\nHe slept.\n".encode()
        path = tmp_path / "a.csv"
        ended = run("heatmap", "--from", "-", *WHERE, "-o", str(path), stdin=given)
        assert (ended.status, ended.complaint) == (
            1,
            "text 2 (standard input, line 3): the text has 602 tokens; this model reads at "
            "most 512: shorten it, or truncate it",
        )
        assert sorted(os.listdir(tmp_path)) == ["a-1.csv", "a-3.csv"]

    def test_each_is_a_line(self, run: Command) -> None:
        ended = run("worksheet", "--from", "-", *WHERE, "--query", "4", stdin=b"a\nb\nc c c\nd d")
        assert ended.status == 1
        assert [line.split(":")[0:2] for line in ended.err.splitlines()] == [
            ["error", " text 1 (standard input, line 1)"],
            ["error", " text 2 (standard input, line 2)"],
            ["error", " text 4 (standard input, line 4)"],
        ]
        assert json.loads(ended.out)["text"] == "c c c"

    def test_what_is_wrong_with_all_is_said_once(self, run: Command, texts: str) -> None:
        ended = run("heatmap", "--from", texts, "--layer", "6", "--head", "0")
        assert (ended.status, ended.complaint) == (2, "layer 6 is out of range: minilm has layers 0 to 5")

    def test_truncation_names_its_text(self, run: Command) -> None:
        given = f"a\n{'apple ' * 600}".encode()
        ended = run("heads", "--from", "-", "--truncate", stdin=given)
        told = "truncated: the first 512 of 602 tokens are shown"
        assert (ended.status, ended.err) == (0, f"text 2 (standard input, line 2): {told}\n")


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    """Of many texts; in a process of its own."""
    path = tmp_path / "many.txt"
    path.write_text("She ate an apple.\n" * 40, encoding="utf-8")
    command = f'"$0" -m explorer heads --from "{path}" | head -1'
    ended = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable], cwd=ROOT, capture_output=True, timeout=120, check=False
    )
    assert ended.stderr == b""
    assert json.loads(ended.stdout)["kind"] == "heads"
