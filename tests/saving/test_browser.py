"""A browser that renders figures: where it is looked for, and what is said when none runs."""

from __future__ import annotations

import sys

import plotly.graph_objects as go
import pytest

from explorer.saving.files import ExportError
from explorer.saving.rendering import figure_bytes


class TestBrowser:
    """Without one; with one: tests/browser/test_pictures.py."""

    def fails(self) -> str:
        with pytest.raises(ExportError) as raised:
            figure_bytes(go.Figure(), "png")
        assert "\n" not in str(raised.value)
        return str(raised.value)

    def test_a_named_browser_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CHROMIUM", "no-such-browser")
        assert self.fails().startswith("CHROMIUM=no-such-browser is no program")

    def test_none_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CHROMIUM", raising=False)
        monkeypatch.setenv("BROWSER_PATH", "/nonexistent")
        message = self.fails()
        assert message.startswith("a PNG is drawn by a browser and none was found: install")
        assert "CHROMIUM=/path/to/chromium" in message

    def test_one_that_does_not_run(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("CHROMIUM", sys.executable)
        assert "the browser that was to draw the figure does not run" in self.fails()
        assert capfd.readouterr() == ("", "")
