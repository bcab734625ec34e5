"""The command ``check``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from explorer.analysis.identities import CLAIMS
from explorer.capture.attention_call import AttentionCall
from explorer.text.example_sets import OPENING_TEXT
from tests.cli.shell import TEXT, Command
from tests.conftest import Folder


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorder whose maps are a little too sharp."""
    right = AttentionCall.scores
    monkeypatch.setattr(AttentionCall, "scores", lambda *given: right(*given) * 1.01)


def test_a_line_an_identity(run: Command) -> None:
    ended = run("check", TEXT)
    assert ended.status == 0
    assert ended.err == "All 6 identities that apply hold for minilm on this text; 2 do not apply.\n"
    lines = ended.out.splitlines()
    assert [line.partition("  ")[0] for line in lines] == [one.title for one in CLAIMS.values()]
    left = {"Masked cells are exactly 0", "Predictions stay the same"}
    for line in lines:
        title, *rest = (part.strip() for part in line.split("  ") if part)
        if title in left:
            assert rest[0] == "-"
            assert rest[1].startswith("does not apply: ")
        else:
            assert float(rest[0]) < 1e-5
            assert rest[1:] == ["ok"]


def test_quiet_says_the_lines_only(run: Command) -> None:
    quiet, loud = run("check", TEXT, "--quiet"), run("check", TEXT)
    assert (quiet.status, quiet.err) == (0, "")
    assert quiet.out == loud.out


@pytest.mark.usefixtures("broken")
def test_a_failure_ends_with_1(run: Command) -> None:
    ended = run("check", TEXT)
    assert ended.status == 1
    assert ended.err == (
        "2 of 6 identities do not hold for minilm on this text: The maps are the model’s own; The heads add up.\n"
    )
    failed = [line for line in ended.out.splitlines() if "FAILED" in line]
    assert len(failed) == 2
    assert "FAILED: at most 1e-05; largest at encoder · layer" in failed[0]
    told = run("check", TEXT, "--json")
    assert (told.status, told.err) == (1, "")
    result = json.loads(told.out)
    assert result["ok"] is False
    assert [one["name"] for one in result["identities"] if one["ok"] is False] == ["eager_attention", "heads_add_up"]


def test_json(run: Command) -> None:
    ended = run("check", TEXT, "--json")
    assert (ended.status, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert list(result) == [
        "kind",
        "model",
        "revision",
        "text",
        "pair",
        "truncation",
        "ok",
        "verdict",
        "identities",
        "settings",
        "versions",
    ]
    assert (result["kind"], result["model"], result["text"], result["ok"]) == ("check", "minilm", TEXT, True)
    assert result["settings"] == {
        "target": None,
        "method": "recorder",
        "method_reason": None,
        "revision": result["revision"],
        "device": "cpu",
        "dtype": "float32",
    }
    found = {one["name"]: one for one in result["identities"]}
    assert list(found) == list(CLAIMS)
    rows, logits = found["rows"], found["eager_logits"]
    assert 0 <= rows["error"] <= rows["tolerance"] == 1e-5
    assert (rows["stack"], rows["state"], rows["why_not"], rows["note"]) == ("encoder", *[None] * 3)
    assert (rows["layer"], rows["head"]) in {(i, j) for i in range(6) for j in range(12)}
    assert (logits["ok"], logits["error"], logits["stack"]) == (None, None, None)
    assert "no language-model head" in logits["why_not"]
    assert found["eager_states"]["state"] in range(7)


def test_without_a_text_an_example_is_read(run: Command) -> None:
    assert json.loads(run("check", "--json").out)["text"] == OPENING_TEXT


def test_standard_input_a_pair_and_a_long_text(run: Command) -> None:
    piped = json.loads(run("check", "-", "--pair", "A phone.", "--json", stdin=TEXT.encode()).out)
    assert (piped["text"], piped["pair"], piped["ok"]) == (TEXT, "A phone.", True)
    long = "apple " * 600
    assert "reads at most 512" in run("check", long).complaint
    told = "truncated: the first 512 of 602 tokens are shown"
    ended = run("check", long, "--truncate")
    assert ended.status == 0
    assert ended.err.splitlines()[0] == told


def test_an_encoder_decoder(run: Command, folder: Folder) -> None:
    ended = run("check", "the cat sat", "--target", "a dog ran", "-m", str(folder("t5")), "--device", "cpu", "--json")
    result = json.loads(ended.out)
    assert (ended.status, result["settings"]["target"]) == (0, "a dog ran")
    assert all(one["ok"] for one in result["identities"])


def test_half_precision_and_eager(run: Command, folder: Folder) -> None:
    ended = run("check", "the cat sat", "-m", str(folder("gpt2")), "--device", "cpu", "--dtype", "bfloat16")
    assert ended.status == 0
    assert "ok (more is allowed than in float32, for bfloat16 rounds coarsely: 0.2)" in ended.out
    ended = run("check", "the cat sat", "-m", str(folder("deberta-v2")), "--device", "cpu")
    assert ended.status == 0
    assert ended.out.count("does not apply: the text is captured with eager attention itself") == 4


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([""], 2, "the text is empty"),
        (["hi", "--target", "there"], 2, "minilm takes no target text"),
        (["hi", "-m", "/nowhere/at/all"], 1, "/nowhere/at/all"),
        (["hi", "--layer", "0"], 2, "No such option"),
        (["hi", "-m", "smollm2", "--dtype", "int8"], 2, "unknown dtype 'int8'"),
        (["one", "two"], 2, "unexpected extra argument"),
    ],
)
def test_bad_use_is_one_line(run: Command, arguments: Sequence[str], status: int, said: str) -> None:
    ended = run("check", *arguments)
    assert ended.status == status
    assert said in ended.complaint
