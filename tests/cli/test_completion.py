"""Completion in a shell, asked for as the shells' own scripts ask."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from huggingface_hub import constants

from explorer.models import hub
from tests.cli.shell import ROOT, Command

CACHED = "someone/tiny-bert"


@pytest.fixture
def script(tmp_path: Path, no_hub: Path) -> Path:
    """The installed program, as pip writes it, and a cache that holds a checkpoint."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, function = declared["project"]["scripts"]["attention-explorer"].split(":")
    path = tmp_path / "bin" / "attention-explorer"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    path.chmod(0o755)
    keep(no_hub, CACHED)
    return path


def keep(cache: Path, repo: str) -> None:
    """Put a checkpoint's files into a cache, as a download leaves them."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    kept = folder / "snapshots" / "0123456789"
    kept.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0123456789")
    for name in ("config.json", "model.safetensors"):
        (kept / name).touch()


def asked(script: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_CACHE": constants.HF_HUB_CACHE, **more},
    )


def bash(script: Path, *words: str) -> list[str]:
    """What bash is offered for the last word."""
    ended = asked(
        script,
        COMP_WORDS="\n".join(["attention-explorer", *words]).replace("\n", " "),
        COMP_CWORD=str(len(words)),
        _ATTENTION_EXPLORER_COMPLETE="complete_bash",
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["he"], ["heatmap", "heads"]),
        (["heads", "--for"], ["--format", "--force"]),
        (["heads", "--format", ""], ["json", "csv", "parquet"]),
        (["heatmap", "--device", "c"], ["cpu", "cuda"]),
        (["heatmap", "--dtype", ""], ["float32", "float16", "bfloat16"]),
        (["heatmap", "--stack", ""], ["encoder", "decoder", "cross"]),
        (["heatmap", "--model", "mini"], ["minilm"]),
        (["heatmap", "--model", "some"], [CACHED]),
        (["embeddings", "--basis", ""], ["layer", "all", "vocabulary"]),
        (["embeddings", "--normalise", "u"], ["unit"]),
        (["worksheet", "--paper", ""], ["A4", "Letter"]),
        (["heatmap", "-o", ""], []),  # the shell offers its files
    ],
)
def test_bash(script: Path, words: list[str], offered: list[str]) -> None:
    assert bash(script, *words) == offered


def test_where_models_are(script: Path) -> None:
    ended = asked(
        script,
        _ATTENTION_EXPLORER_COMPLETE="complete_fish",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
        _TYPER_COMPLETE_ARGS="attention-explorer heads --model ",
    )
    offered = dict(line.split("\t") for line in ended.stdout.splitlines())
    assert list(offered)[:3] == ["minilm", "smollm2", CACHED]
    assert (offered["minilm"], offered[CACHED]) == ("bundled", "cached")
    assert all(offered[preset.repo] == "on the hub" for preset in hub.PRESETS)


def test_bash_itself(script: Path) -> None:
    """Its function, as --show-completion prints it, run by bash."""
    shown = subprocess.run(
        ["bash", "-c", "attention-explorer --show-completion bash"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
            "PATH": f"{script.parent}:{os.environ['PATH']}",
        },
    ).stdout
    ended = subprocess.run(
        [
            "bash",
            "-c",
            f"{shown}\nCOMP_WORDS=(attention-explorer he)\nCOMP_CWORD=1\n"
            '_attention_explorer_completion attention-explorer\necho "${COMPREPLY[*]}"',
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{script.parent}:{os.environ['PATH']}"},
    )
    assert (ended.stdout.split(), ended.stderr) == (["heatmap", "heads"], "")


def test_its_own_name_in_help(script: Path) -> None:
    ended = subprocess.run(
        [str(script), "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.stdout.startswith("Usage: attention-explorer [OPTIONS] COMMAND")
    assert "--install-completion" in ended.stdout


def test_python_m_has_no_name_to_complete(run: Command) -> None:
    assert "completion" not in run("--help").out
    assert run("--install-completion").complaint == "No such option: --install-completion"
