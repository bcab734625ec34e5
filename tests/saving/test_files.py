"""Where a file may be written, and that it is written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from explorer.saving.files import ExportError, check_path, write_file


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "kind"), [("a.json", "json"), ("a.b.CSV", "csv"), ("a.png", "png"), ("a.svg", "svg")]
    )
    def test_the_ending_names_the_format(self, tmp_path: Path, name: str, kind: str) -> None:
        assert check_path(tmp_path / name) == kind

    @pytest.mark.parametrize("name", ["a.txt", "a", ".json", "a.json.gz"])
    def test_an_unknown_ending_names_those_that_work(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValueError, match=r"use \.png, \.svg, \.pdf, \.html, \.csv, \.json or \.npz$"):
            check_path(tmp_path / name)

    def test_an_existing_file_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("mine")
        with pytest.raises(ValueError, match="exists: choose another name, or overwrite it with"):
            check_path(tmp_path / "a.csv")
        assert check_path(tmp_path / "a.csv", force=True) == "csv"

    def test_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(ValueError, match="is a folder"):
            check_path(tmp_path / "folder.csv", force=True)
        with pytest.raises(ValueError, match="there is no folder"):
            check_path(tmp_path / "absent" / "a.csv")

    def test_a_protected_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
        with pytest.raises(ValueError, match="is write-protected"):
            check_path(tmp_path / "a.csv")

    def test_written_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        write_file(path, "é🍎\r\n")
        assert path.read_bytes() == "é🍎\r\n".encode()
        write_file(path, b"new")
        assert path.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["a.json"]

    def test_a_link_stays_one(self, tmp_path: Path) -> None:
        (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
        write_file(tmp_path / "link.csv", "x")
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real.csv").read_text() == "x"

    def test_a_failure_leaves_what_was_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a.csv").write_text("mine")

        def full(_self: Path, _data: bytes) -> int:
            (tmp_path / f".a.csv.{os.getpid()}.part").touch()
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(ExportError, match="cannot be written: No space left on device"):
            write_file(tmp_path / "a.csv", "new")
        assert (tmp_path / "a.csv").read_text() == "mine"
        assert os.listdir(tmp_path) == ["a.csv"]
