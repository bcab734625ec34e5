"""docs/files.md says what is in a saved file, and what every view's address may have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import explorer
from docs.making.files import READERS
from explorer.saving.files import FORMATS
from explorer.saving.rendering import Draw
from explorer.saving.save import Saving, saved
from explorer.session.links import path_of
from explorer.session.session import Session
from explorer.session.settings import written
from explorer.views.heads.page import MapSettings
from explorer.views.registry import VIEWS, view_at

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
_, *_PARTS = re.split(r"^#+ (.+)$", PAGE, flags=re.MULTILINE)
SECTIONS = dict(zip(_PARTS[::2], _PARTS[1::2], strict=True))


@pytest.fixture(scope="module")
def files(minilm: explorer.LoadedModel, draw: Draw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a map of one head in every format."""
    folder = tmp_path_factory.mktemp("files")
    session = Session.of(explorer.capture(minilm, "She ate."))
    view = VIEWS["heatmap"].make(session, MapSettings(text="She ate.", layer=1, head=8))
    for kind in FORMATS:
        (folder / f"head.{kind}").write_bytes(saved(session, view, kind, Saving(), draw))
    return folder


@pytest.mark.parametrize("kind", FORMATS)
def test_the_record_is_where_the_page_says(kind: str, files: Path) -> None:
    told = _read(kind, files / f"head.{kind}")
    assert told["kind"] == "heatmap"
    assert told["model"] == "minilm"
    assert told["settings"]["text"] == "She ate."
    named = set(re.findall(r"`(\w+)`", re.sub(r"\|[^|]*\|$", "", SECTIONS["The record in a file"], flags=re.M)))
    assert set(told) <= named
    drawn = {"figure", "look"} if kind in ("png", "svg", "pdf", "html") else set()
    assert {"revision", "checksum", "device", "dtype", "link", "python", "command", "time", "versions", *drawn} <= set(
        told
    )


def _read(kind: str, path: Path) -> dict[str, Any]:
    _, reading, imports = READERS[kind]
    assert reading in PAGE
    scope: dict[str, Any] = {"path": str(path), "json": json}
    exec(imports, scope)
    return json.loads(eval(reading, scope))


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_with_all_its_settings(name: str) -> None:
    view, section = VIEWS[name], SECTIONS[name]
    shared = SECTIONS["Views"]
    for setting, value in view.settings.defaults().items():
        default = (
            "those of the example set" if setting == "sentences" else f"`{written(value)}`" if value != "" else "none"
        )
        assert f"| `{setting}` | {default} |" in section + shared, setting
        assert view.settings.help_of(setting).replace("|", "\\|") in section + shared
    for figure in view.figures:
        assert f"`{figure}`" in section
    (address,) = re.findall(r"`(/[^`]*)`", section)
    assert path_of(address) == view.page.path
    assert view_at(address) == (view, view.settings(), ())
