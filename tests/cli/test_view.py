"""The commands ``view`` and ``remake``: any view by its address, and files made again."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import explorer
from explorer.capture.loading import Progress
from explorer.cli import loading
from explorer.figures.figure_style import FONTS, UNITS
from explorer.figures.style import PALETTES, THEMES
from explorer.saving.metadata import read_provenance
from explorer.session.session import Session
from explorer.text.example_sets import OPENING_TEXT
from explorer.views.registry import VIEWS
from tests.cli.shell import Command, Run
from tests.computing import computed_at

TEXT = "She ate an apple."
LINK = "/?text=She%20ate%20an%20apple.&layer=1&head=8"


def test_a_views_numbers(run: Command, minilm: explorer.LoadedModel) -> None:
    ended = run("view", LINK)
    assert (ended.status, ended.err) == (0, "")
    told = json.loads(ended.out)
    assert told["kind"] == "heatmap"
    np.testing.assert_array_equal(np.float32(told["attention"]), explorer.capture(minilm, TEXT).attention(1, 8))
    assert told["provenance"]["link"] == LINK


def test_another_view_of_the_same_page(run: Command) -> None:
    told = json.loads(run("view", LINK, "--kind", "lines").out)
    assert (told["kind"], told["heads"]) == ("lines", [8])
    assert json.loads(run("view", f"{LINK}&mode=lines&other_heads=3").out)["heads"] == [8, 3]


def test_help_names_what_can_be_chosen(run: Command) -> None:
    told = {view.name: view.figures for view in VIEWS.values()}
    said = " ".join(run("view", "--help").out.split())
    assert f"where the page has several: {', '.join(told)}." in said
    several = [f"{kind} has {', '.join(names)}" for kind, names in told.items() if names[1:]]
    assert f"where it has several: {'; '.join(several)}. [default: the first]" in said
    for names in (UNITS, FONTS, PALETTES, THEMES):
        *others, last = names
        assert re.search(rf"{', '.join(others)} or {last}", said), names


def test_how_a_figure_looks_is_in_its_file(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "head.html"
    ended = run("view", LINK, "--theme", "dark", "--no-caption", "--width", "12", "-o", str(path))
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    record = read_provenance(path.read_bytes(), path.name)
    assert record["look"] == {"theme": "dark", "width": 12.0, "caption": False}
    # The record's own command makes the same again.
    words = record["command"].split(" ")
    assert words[:4] == ["python", "-m", "explorer", "view"]
    assert {"--theme=dark", "--no-caption", "--width=12", "--kind=heatmap"} <= set(words)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/nowhere",), "/nowhere is not a page with a view to save: use /"),
        ((LINK, "--kind", "hologram"), "unknown view 'hologram': use heatmap"),
        ((LINK, "--figure", "graph", "-o", "x.html"), "heatmap has no figure 'graph': use map"),
        ((LINK, "--palette", "jet"), "unknown palette 'jet': use viridis, cividis, greys"),
        ((LINK, "--width", "1"), "a width of 1 cm is out of range: use 3 to 100 cm"),
        (("/?layer=9",), "layer 9 is out of range: minilm has layers 0 to 5"),
    ],
)
def test_bad_use_is_one_line(
    run: Command, arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("view", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.complaint.startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_a_newer_link_is_shown_with_a_remark(run: Command) -> None:
    ended = run("view", f"{LINK}&hologram=3")
    assert ended.status == 0
    assert "does not know (hologram)" in ended.err
    assert run("view", f"{LINK}&hologram=3", "--quiet").err == ""


@pytest.mark.parametrize("kind", ["overview", "comparison"])
def test_a_truncated_text_is_told(run: Command, kind: str, tmp_path: Path) -> None:
    path, told = tmp_path / "long.json", "the first 512 of 602 tokens are shown"
    link = f"/?text={'apple%20' * 600}&truncate=true&kind={kind}"
    both = f"of the first text {told}; of the second text {told}"
    line = f"truncated: {both if kind == 'comparison' else told}\n"
    ended = run("view", link, "-o", str(path))
    assert (ended.status, ended.err) == (0, line)
    assert run("view", link, "--quiet", "--force", "-o", str(path)).err == ""
    assert run("remake", str(path)).err == line
    assert run("remake", str(path), "--quiet").err == ""


@pytest.mark.parametrize(
    ("asked", "shown", "said"),
    [
        ("/?mode=newmode", "heatmap", ["mode=newmode"]),
        ("/?mode=newmode&kind=newkind", "heatmap", ["kind=newkind", "mode=newmode"]),
        ("/?mode=lines&kind=newkind", "lines", ["kind=newkind"]),
        ("/?mode=newmode&kind=lines", "lines", []),
        ("/inside?mode=lines", "worksheet", ["mode=lines"]),
    ],
)
def test_a_view_of_a_newer_version_is_told(
    run: Command, asked: str, shown: str, said: list[str], minilm: explorer.LoadedModel
) -> None:
    ended = run("view", asked)
    assert (ended.status, json.loads(ended.out)["kind"]) == (0, shown)
    title = VIEWS[shown].title
    lines = [
        f"the address says {one}, a view that this version does not know: it may come from a "
        f"newer one; {title} is shown"
        for one in said
    ]
    assert ended.err.splitlines() == lines
    view, remarks = computed_at(Session.of(explorer.capture(minilm, OPENING_TEXT)), asked)
    assert (view.spec.name, list(remarks)) == (shown, lines)
    with warnings.catch_warnings(record=True, action="always") as warned:
        assert list(explorer.view(asked, device="cpu").remarks) == lines
    assert [str(one.message) for one in warned] == lines


def test_a_text_that_the_model_does_not_read_is_left_out_with_a_remark(run: Command) -> None:
    ended = run("view", f"{LINK}&target=Sie%20a%C3%9F.")
    assert ended.status == 0
    assert ended.err == "the target text is left out: minilm is not an encoder–decoder\n"
    assert "target=" not in json.loads(ended.out)["provenance"]["command"]


def test_a_file_is_made_again(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    where = ("--layer", "1", "--head", "8", "--words", "--pair", "He slept.")
    assert run("heatmap", TEXT, *where, "-o", str(path)).status == 0
    ended = run("remake", str(path))
    assert (ended.status, ended.out, ended.err) == (0, "heatmap: largest difference 0\n", "")
    told = json.loads(path.read_text(encoding="utf-8"))
    told["attention"][1][2] += 0.5
    path.write_text(json.dumps(told), encoding="utf-8")
    ended = run("remake", str(path), "--json")
    assert ended.status == 1
    found = json.loads(ended.out)
    assert (found["agrees"], found["where"]) == (False, "attention[1][2]")
    assert found["difference"] == pytest.approx(0.5)


def test_the_pull_of_a_model_without_a_target_text(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "pull.json"
    ended = run("view", "/embeddings?mode=pull&layer=2", "-o", str(path))
    assert (ended.status, ended.err) == (0, "")
    assert run("remake", str(path)) == Run(0, "pull: largest difference 0\n", "")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("/?kind=heads&nulls=true&text=She%20ate.", "shuffling the tokens"),
        ("/embeddings?kind=by_layer&sentences=a%20%7C%20An%20apple.%0Ab%20%7C%20apple%20sells.", "sentence 2 of 2"),
    ],
)
def test_a_terminal_is_told_how_slow_views_go(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, said: str
) -> None:
    seen: list[str] = []

    @contextmanager
    def collected(_quiet: bool, _doing: str) -> Iterator[Progress]:
        yield lambda sentence, _share: seen.append(sentence)

    monkeypatch.setattr(loading, "progress", collected)
    path = tmp_path / "view.json"
    for command in (("view", asked, "-o", str(path)), ("remake", str(path))):
        seen.clear()
        assert run(*command).status == 0
        assert any(said in sentence for sentence in seen), seen


def test_what_cannot_be_made_again_is_one_line(run: Command, tmp_path: Path) -> None:
    missing = run("remake", str(tmp_path / "no.json"))
    assert (missing.status, missing.complaint.endswith("cannot be read: No such file or directory")) == (2, True)
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert run("remake", str(other)).complaint.startswith(
        f"{other} holds no record of what made it: give a file that was saved here"
    )
    table = tmp_path / "head.csv"
    assert run("heatmap", TEXT, "--layer", "0", "--head", "0", "-o", str(table)).status == 0
    ended = run("remake", str(table))
    assert (ended.status, "is no JSON" in ended.complaint) == (2, True)


def test_a_device_that_is_not_here(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "head.json"
    assert run("heatmap", TEXT, "--layer", "0", "--head", "0", "-o", str(path)).status == 0
    told = json.loads(path.read_text(encoding="utf-8"))
    told["provenance"]["device"] = "cuda:7"
    path.write_text(json.dumps(told), encoding="utf-8")
    ended = run("remake", str(path))
    assert ended.status == 0
    assert "it was made on cuda:7, which is not here" in ended.err
    assert "not as it was: device: cuda:7 then, cpu now" in ended.err
