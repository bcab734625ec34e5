"""Commands run in this process; minilm is loaded once."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

import explorer
from explorer.capture import loading as models
from explorer.cli.main import main
from explorer.session import session as shelf
from tests.cli.shell import Command, Run


@pytest.fixture
def run(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, minilm: explorer.LoadedModel
) -> Command:
    """Run a command in this process; minilm is loaded already."""

    def load(name: str, *arguments: Any, **more: Any) -> explorer.LoadedModel:
        return minilm if name == "minilm" else explorer.load_model(name, *arguments, **more)

    monkeypatch.setattr(models, "load_model", load)
    monkeypatch.setattr(shelf, "load_model", load)

    def one(*arguments: str, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()  # what making the test's checkpoint said
        status = main(arguments)
        out, err = capfdbinary.readouterr()
        return Run(status, out.decode("utf-8"), err.decode("utf-8"))

    return one
