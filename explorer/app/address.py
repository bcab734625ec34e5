"""A page's fields as an address tells them.

The address holds every setting of the view on the screen that is not as it begins. A page is
put into the layout with its fields filled from it (``filled``); the browser keeps the address
to what is seen (assets/address.js). A state too long for an address is kept by the server,
which names it (explorer/short_links.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc

from explorer.session import short_links
from explorer.session.links import Parsed, Value, given_in, parse
from explorer.session.links import State as Settings
from explorer.views.panel.running import error_line
from explorer.views.registry import KINDS, SETTINGS, settings_in


class Shown(NamedTuple):
    """What is on a page's screen: the store that tells its state, and what can be saved of it."""

    store: str
    kinds: tuple[str, ...]


def settings_of(page: ModuleType) -> dict[str, Value]:
    """Every setting that an address of a page may have, with what it is where it says nothing.

    Those of its views, and those the page has beside them (its ``AROUND``); a setting that two
    views share begins alike in both, but ``mode`` with the page's first view.
    """
    found: dict[str, Value] = {}
    for kind in KINDS.values():
        if kind.path == page.PATH:
            found = {**kind.defaults, **found}
    return {**found, **page.AROUND}


def filled(layout: list[Any], fields: Mapping[str, str], state: Settings) -> list[Any]:
    """A page's layout, its fields set to a state; what one does not offer is left as it begins.

    Args:
        layout: components, changed in place.
        fields: the component of each setting, by its id.
        state: every setting of the page.
    """
    values = {component: state[setting] for setting, component in fields.items()}
    for component in _all(layout):
        name = getattr(component, "id", None)
        if isinstance(name, str) and name in values:
            _set(component, values[name])
    return layout


def _all(layout: Any) -> Iterator[Any]:
    for one in layout if isinstance(layout, (list, tuple)) else [layout]:
        yield one
        if hasattr(one, "_traverse"):
            yield from one._traverse()


def refused(layout: list[Any], fields: Mapping[str, str], state: Settings) -> list[str]:
    """What an address asks of a page's controls that they do not offer, in words."""
    values = {field: (setting, state[setting]) for setting, field in fields.items()}
    return [
        f"the address says {setting}={str(value)[:40]}, which is not offered here: {component.value} is taken"
        for component in _all(layout)
        for setting, value in [values.get(str(getattr(component, "id", "")), ("", ""))]
        if setting and not _offers(component, value)
    ]


def _offers(component: Any, value: Value) -> bool:
    """Whether a control has this choice; one whose choices come later has every one."""
    if not isinstance(component, dmc.SegmentedControl) or not component.data:
        return True
    offered = [one["value"] if isinstance(one, Mapping) else one for one in component.data]
    return str(value) in offered


def _set(component: Any, value: Value) -> None:
    if not _offers(component, value):
        return
    if isinstance(component, dmc.Switch):
        component.checked = bool(value)
    elif isinstance(component, dcc.Store):
        if value:  # a store that is given None tells of a change when it is mounted
            component.data = value  # type: ignore[attr-defined]
    elif isinstance(component, dmc.MultiSelect):
        component.value = [one for one in str(value).split(",") if one]
    elif isinstance(component, (dmc.NumberInput, dmc.Slider)):
        component.value = value
    else:
        component.value = str(value) if value != "" else None


def told(page: ModuleType) -> dict[str, Any]:
    """What the browser must know of a page to write its address."""
    return {
        "name": page.NAME,
        "path": page.PATH,
        "settings": settings_of(page),
        "modes": list(page.SHOWN),
        "around": bool(page.AROUND),
    }


def opened(page: ModuleType, search: str) -> Parsed:
    """A page's settings out of an address's query; of a kept state what its name stands for.

    What cannot be opened is remarked upon, and the rest is as it begins.
    """
    remarks = list[str]()
    try:
        given = settings_in(search)
    except ValueError as error:
        given = given_in(search)
        remarks.append(str(error))
    parsed = parse(given, settings_of(page), {*SETTINGS, *page.AROUND})
    return Parsed(parsed.state, (*remarks, *parsed.remarks))


def register(app: Dash, pages: tuple[ModuleType, ...]) -> None:
    """Keep the address to what is seen; a state that is too long for one is kept here."""
    screens = [
        Input(name, prop, allow_optional=True)
        for page in pages
        for name, prop in (
            *([(f"{page.NAME}-mode", "value")] if page.SHOWN else []),
            *([(f"{page.NAME}-around", "data")] if page.AROUND else []),
            *((shown.store, "data") for shown in page.SHOWN.values()),
        )
    ]
    app.clientside_callback(
        ClientsideFunction("address", "write"),
        Output("share-button", "title"),
        Input("theme", "data"),
        Input("present", "data"),
        Input("url", "pathname"),
        *screens,
        State("pages", "data"),
    )

    @app.callback(Output("short-link", "data"), Output("short-link-message", "children"), Input("long-link", "data"))
    def keep(link: str | None) -> Any:
        if link is None:  # what is seen now fits into an address
            return None, None
        try:
            return {"link": link, "name": short_links.keep(link)}, None
        except ValueError as error:
            return None, error_line(str(error))

    app.clientside_callback(
        ClientsideFunction("address", "shorten"), Output("share-button", "name"), Input("short-link", "data")
    )
