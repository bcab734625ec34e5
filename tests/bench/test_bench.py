"""The benches: what they time, size and count, on inputs small enough to know the answer."""

from __future__ import annotations

import gzip
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explorer
from bench import heads, recording
from bench.cases import some_heads, text_of
from bench.memory import PeakMemory


def test_tasks_take_turns_and_the_first_turn_does_not_count() -> None:
    order: list[str] = []
    tasks = {name: lambda name=name: order.append(name) for name in "ab"}
    seconds = recording.seconds_in_turn(tasks, repeats=2)
    assert order == ["a", "b"] * 3
    assert {name: len(values) for name, values in seconds.items()} == {"a": 2, "b": 2}


def test_a_long_task_is_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "perf_counter", lambda: clock["now"])

    def takes(seconds: float) -> Any:
        return lambda: clock.update(now=clock["now"] + seconds)

    tasks = {"short": takes(1.0), "some": takes(6.0), "long": takes(30.0)}
    seconds = recording.seconds_in_turn(tasks, repeats=3, most_seconds=10.0)
    assert seconds == {"short": [1.0] * 3, "some": [6.0], "long": [30.0]}


def test_a_ratio_is_the_median_over_the_turns_of_both() -> None:
    # 2/1, 9/3, 8/1: a turn that was slow for both tells the same as the others.
    assert recording.ratio([2.0, 9.0, 8.0], [1.0, 3.0, 1.0]) == 3.0
    assert recording.ratio([4.0], [2.0, 1.0]) == 2.0


def test_a_result_names_no_host_and_no_path(tmp_path: Path) -> None:
    here = recording.machine()
    path = recording.write("some", here | {"device": "NVIDIA H200 (80 GB)"}, tmp_path)
    assert path.name == "some-nvidia-h200-80-gb.json"
    written = path.read_text(encoding="utf-8")
    assert json.loads(written)["cores"] == here["cores"]
    assert str(Path.cwd()) not in written
    assert platform.node() not in here.values()


def test_markdown_has_numbers_to_the_right() -> None:
    assert recording.markdown(["a", "b"], [["1", "2"]]).splitlines() == ["| a | b |", "| --: | --: |", "| 1 | 2 |"]


@pytest.mark.parametrize("n", [3, 16, 129])
def test_texts_have_exactly_the_tokens_asked_for(minilm: explorer.LoadedModel, n: int) -> None:
    text = text_of(minilm.tokenizer, n)
    assert len(explorer.capture(minilm, text).tokens) == n
    assert text == text_of(minilm.tokenizer, n)


def test_no_text_is_shorter_than_its_special_tokens(minilm: explorer.LoadedModel) -> None:
    with pytest.raises(ValueError, match="no text of 2 tokens"):
        text_of(minilm.tokenizer, 2)


def test_heads_are_different_and_there() -> None:
    drawn = some_heads(3, 4, 9)
    assert len(set(drawn)) == 9
    assert all(0 <= layer < 3 and 0 <= head < 4 for layer, head in drawn)
    assert sorted(some_heads(1, 3, 9)) == [(0, 1), (0, 2)]


def test_peak_memory_sees_what_is_gone_by_the_end() -> None:
    with PeakMemory() as peak:
        np.ones(25_000_000, np.float32).sum()
    assert peak.host is not None
    assert 95e6 < peak.host < 115e6
    assert peak.card is None


def test_answers_are_the_page_s_figures_compressed(minilm: explorer.LoadedModel) -> None:
    cap = explorer.capture(minilm, "the cat sat on the mat")
    whole = json.loads(gzip.decompress(heads.map_answer(cap, 2, 7)))
    assert whole["layout"]["title"]["text"].endswith("layer 2 · head 7")
    part = json.loads(gzip.decompress(heads.map_answer(cap, 2, 7, heads.Region((1, 4), (0, 2)))))
    assert part["data"][1]["z"]["shape"] == "3, 2"
    file = json.loads(gzip.decompress(heads.file_bytes(cap, 2, 7)))
    np.testing.assert_allclose(file["attention"], cap.attention(2, 7), atol=1e-7)
    assert json.loads(gzip.decompress(heads.overview_answer(cap)))["layout"]["images"]


def test_measures_are_stopped_when_their_time_is_over(minilm: explorer.LoadedModel) -> None:
    cap = explorer.capture(minilm, "the cat sat")
    assert heads.measured_share(cap, 60.0) == 1.0
    assert heads.measured_share(cap, -1.0) == 0.0


def test_the_overview_s_budget_is_that_of_texts_it_is_meant_for() -> None:
    rows = [{"tokens": n, "bytes": {"overview": size}} for n, size in ((512, 9_000), (2048, 9e6))]
    assert heads.budget_line(rows).endswith("9 KB of 250 KB: met")
    rows[0]["bytes"]["overview"] = 250_001
    assert heads.budget_line(rows).endswith("NOT met")


def test_the_server_bench_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads.run("cpu", 1, ["minilm"], [8, 1024], tmp_path)
    result = json.loads((tmp_path / "heads-cpu.json").read_text(encoding="utf-8"))
    # minilm reads 512 tokens: the longer text is left out.
    assert [row["tokens"] for row in result["rows"]] == [8]
    [row] = result["rows"]
    assert row["bytes"]["all_attention"] == 4 * 6 * 12 * 8 * 8
    assert row["seconds"].keys() == {"capture", "attention", "map", "overview", "measures"}
    printed = capsys.readouterr().out
    assert "| minilm | 8 |" in printed
    assert "nulls of 128 tokens" in printed


def test_the_long_bench_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads.run_long("cpu", "minilm", 12, 60.0, tmp_path)
    result = json.loads((tmp_path / "heads-long-cpu.json").read_text(encoding="utf-8"))
    steps = result["steps"]
    assert list(steps) == ["capture", "window", "overview", "measures"]
    assert steps["measures"]["share_done"] == 1.0
    # Queries, keys, values [6, 12, 12, 32] and hidden states [7, 12, 384] in float32.
    assert steps["capture"]["holds"] == 4 * (3 * 6 * 12 * 12 * 32 + 7 * 12 * 384)
    assert "minilm · 12 tokens" in capsys.readouterr().out
