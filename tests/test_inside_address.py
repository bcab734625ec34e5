"""The Inside page's fields and its address: they begin alike, and one fills the other."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc

from explorer.app import address
from explorer.views.inside import panel as inside
from explorer.views.registry import KINDS
from tests.test_exhibits_inside import CHANGED, NAMES


def _held(field: Any) -> Any:
    """What a field begins with."""
    return field.checked if isinstance(field, dmc.Switch) else field.value


def test_the_page_begins_as_the_views_do() -> None:
    """Every field of an address is on the page, and holds what its setting begins with."""
    begins = address.settings_of(inside)
    layout = inside.layout()
    fields = {one.id: one for part in layout for one in [part, *part._traverse()] if getattr(one, "id", None)}
    bar = {"model", "text", "pair", "target", "truncate"}
    assert set(inside.ADDRESS) == set(begins) - bar
    for setting, component in inside.ADDRESS.items():
        held = _held(fields[component])
        assert (held if held is not None else "") in (begins[setting], str(begins[setting])), setting
    for shown in inside.SHOWN.values():
        assert shown.store in fields
        assert all(name in KINDS for name in shown.kinds)
    assert list(inside.SHOWN) == [KINDS[name].mode for name in NAMES]


def test_fields_are_filled_from_an_address() -> None:
    asked = {name: value for one in CHANGED.values() for name, value in one.items()}
    state = {**address.settings_of(inside), **asked, "mode": "points"}
    layout = address.filled(inside.layout(), inside.ADDRESS, state)
    fields = {one.id: one for part in layout for one in [part, *part._traverse()] if getattr(one, "id", None)}
    for setting, component in inside.ADDRESS.items():
        held = _held(fields[component])
        assert (held if held is not None else "") in (state[setting], str(state[setting])), setting


def test_a_view_there_is_not_falls_back_and_is_said() -> None:
    state = {**address.settings_of(inside), "mode": "maps", "map": "output"}
    layout = inside.layout()
    told = address.refused(layout, inside.ADDRESS, state)
    assert told == [
        "the address says mode=maps, which is not offered here: row is taken",
        "the address says map=output, which is not offered here: query is taken",
    ]
    (control,) = (
        one
        for part in address.filled(layout, inside.ADDRESS, state)
        for one in [part, *part._traverse()]
        if getattr(one, "id", None) == "inside-mode"
    )
    assert control.value == "row"
