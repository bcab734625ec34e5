"""What holds of every view: its address, its settings, its folder."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import explorer
from explorer.session.settings import Settings
from explorer.views.registry import PAGES, VIEWS, link_to_view, view_at, views_of
from explorer.views.spec import ViewSpec

every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
FOLDER = Path(explorer.__file__).parent


def changed(view: ViewSpec) -> Settings:
    """Settings none of which is the default."""
    values = {}
    for name, value in view.settings.defaults().items():
        others = [choice for choice in view.settings.choices_of(name) if choice != value]
        if others:
            values[name] = others[0]
        elif isinstance(value, bool):
            values[name] = not value
        else:
            values[name] = f"{value} “x” + 50% & a | b\n| c" if isinstance(value, str) else value + 1
    return view.settings.of(values)


@every_view
def test_it_comes_back_from_its_own_address(view: ViewSpec) -> None:
    settings = changed(view)
    link = link_to_view(view, settings)
    found, again, remarks = view_at(f"{link}&kind={view.name}")
    assert (found, again, remarks) == (view, settings, ())
    types = {name: type(value) for name, value in again.as_dict().items()}
    assert types == {name: type(value) for name, value in view.settings.defaults().items()}
    if not view.beside:
        assert view_at(link)[0] is view


@every_view
def test_every_setting_has_a_line_of_help(view: ViewSpec) -> None:
    for one in fields(view.settings):
        help_line = view.settings.help_of(one.name)
        assert help_line.endswith("."), one.name
        assert "\n" not in help_line


@every_view
def test_its_folder_is_complete_and_has_its_name(view: ViewSpec) -> None:
    folder = FOLDER.joinpath(*view.folder.split(".")[1:])
    assert folder.name == view.name
    assert folder.parent.name == view.page.name
    assert {"__init__.py", "compute.py", "figure.py", "data.py"} <= {path.name for path in folder.iterdir()}
    assert tuple(view.functions.figures) == view.figures


@every_view
def test_its_defaults_are_among_the_choices(view: ViewSpec) -> None:
    assert view.settings().check() == view.settings()


def test_settings_that_views_of_a_page_share_have_one_default() -> None:
    defaults: dict[tuple[str, str], object] = {}
    for view in VIEWS.values():
        for name, value in view.settings.defaults().items():
            assert defaults.setdefault((view.page.path, name), value) == value, (view.name, name)


def test_a_path_without_views_is_refused() -> None:
    with pytest.raises(ValueError, match="/nowhere is not a page with a view to save: use /, /embeddings, /inside"):
        view_at("/nowhere?layer=2")


def test_an_unknown_view_is_remarked_upon_and_the_first_is_shown() -> None:
    for name in ("mode", "kind"):
        view, _, (remark,) = view_at(f"/inside?{name}=hologram")
        assert view is views_of(next(page for page in PAGES if page.path == "/inside"))[0]
        assert f"{name}=hologram" in remark and "newer" in remark
