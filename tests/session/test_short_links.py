"""States too long for an address: kept under a name, and found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.session.short_links import load, store

LINK = "/?text=" + "long%20" * 1000


def test_a_kept_state_is_found_by_its_name(tmp_path: Path) -> None:
    name = store(LINK, tmp_path / "views")
    assert len(name) == 16
    assert load(name, tmp_path / "views") == LINK


def test_the_same_state_has_the_same_name_and_another_one_another(tmp_path: Path) -> None:
    assert store(LINK, tmp_path) == store(LINK, tmp_path)
    assert store(LINK + "x", tmp_path) != store(LINK, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["0" * 16, "../../../etc/passwd", "", "ABCDEF0123456789"])
def test_no_such_name_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no view named .* is stored here"):
        load(name, tmp_path)


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match=r"cannot be written .* save it as a file instead"):
        store(LINK, tmp_path / "file" / "views")
