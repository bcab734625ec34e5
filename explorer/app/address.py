"""A page's fields and its address.

The address holds every setting of the view on the screen that is not the default. A page is put
into the layout with its fields filled from it (``filled``), and the browser writes the address anew
when a setting changes (assets/address.js). Where another address of the same text is opened, only
its fields change (``field_values``). An address that is too long is stored by the server, which
names it (explorer/session/short_links.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc

from explorer.session import short_links
from explorer.session.links import AROUND, given_in, settings_in
from explorer.session.requests import TextRequest, WordRequest
from explorer.session.settings import State as Values
from explorer.session.settings import Value, parse_settings, written
from explorer.views.panel.running import error_line
from explorer.views.registry import setting_names, views_of
from explorer.views.spec import Page

_IN_BAR = tuple(TextRequest.defaults())


def page_at(path: str, pages: Sequence[Page]) -> Page:
    """The page of an address; the first page where there is none of that name."""
    first = f"/{path.strip('/').partition('/')[0]}"
    return next((page for page in pages if first == page.path), pages[0])


def settings_of(page: Page) -> dict[str, Value]:
    """The settings of a page's addresses with their defaults; views that share one have the same default."""
    views = views_of(page, beside=False)
    return {
        **({"mode": views[0].name} if views else {}),
        **page.settings.defaults(),
        **{name: value for view in reversed(views_of(page)) for name, value in view.settings.defaults().items()},
        **(page.around.defaults() if page.around else {}),
    }


def fields_of(page: Page) -> dict[str, str]:
    """The id of the component that shows each setting of a page, without those of the bar."""
    views = views_of(page)
    found = {name: view.field(name) for view in reversed(views) for name in view.settings.defaults()}
    if views:
        found |= {name: views[0].field(name) for name in page.settings.defaults()}
        found["mode"] = f"{page.name}-mode"
    return {name: component for name, component in found.items() if name not in _IN_BAR}


def fixed_settings(page: Page) -> set[str]:
    """The settings that cannot be changed in place: where one differs, the page is made anew."""
    around = page.around.defaults() if page.around else {}
    return {*TextRequest.defaults(), *WordRequest.defaults(), *around, "stack", "layers"}


def fields_in_place(page: Page) -> dict[str, str]:
    """The components of the settings that an open page can change without being made anew."""
    fixed = fixed_settings(page)
    return {name: field for name, field in fields_of(page).items() if name not in fixed}


def filled(layout: list[Any], fields: Mapping[str, str], state: Values) -> list[Any]:
    """A page's layout, its controls set to a state; the components are changed in place.

    A store without a value is left alone: one that is given None reports a change when it is mounted.
    """
    values = field_values(layout, fields, state)
    for component in _all(layout):
        for name, value in values.get(str(getattr(component, "id", "")), {}).items():
            if value is not None or not isinstance(component, dcc.Store):
                setattr(component, name, value)
    return layout


def _all(layout: Any) -> Iterator[Any]:
    for one in layout if isinstance(layout, (list, tuple)) else [layout]:
        yield one
        if hasattr(one, "_traverse"):
            yield from one._traverse()


def refused(layout: list[Any], fields: Mapping[str, str], state: Values) -> list[str]:
    """A remark on each setting of an address that its control does not offer."""
    values = {field: (setting, state[setting]) for setting, field in fields.items()}
    return [
        f"the address has {setting}={str(value)[:40]}, which is not offered here: {component.value} is used"
        for component in _all(layout)
        for setting, value in [values.get(str(getattr(component, "id", "")), ("", ""))]
        if setting and not _offers(component, value)
    ]


def _offers(component: Any, value: Value) -> bool:
    """Whether a control has this choice; a control whose choices come later accepts any."""
    if not isinstance(component, dmc.SegmentedControl) or not component.data:
        return True
    offered = [one["value"] if isinstance(one, Mapping) else one for one in component.data]
    return written(value) in offered


def _property(component: Any, value: Value) -> tuple[str, Any]:
    """The property of a control that holds a setting, and what it is set to."""
    if isinstance(component, dmc.Switch):
        return "checked", bool(value)
    if isinstance(component, dcc.Store):
        return "data", value or None
    if isinstance(component, dmc.MultiSelect):
        return "value", [one for one in str(value).split(",") if one]
    if isinstance(component, (dmc.NumberInput, dmc.Slider)):
        return "value", value
    return "value", written(value) if value != "" else None


def field_values(layout: list[Any], fields: Mapping[str, str], state: Values) -> dict[str, dict[str, Any]]:
    """What each control of a page is set to, as {id: {property: value}}.

    Args:
        layout: components.
        fields: the component of each setting, by its id.
        state: every setting of the page. A value that its control does not offer is left out.
    """
    values = {component: state[setting] for setting, component in fields.items()}
    found = dict[str, dict[str, Any]]()
    for component in _all(layout):
        name = getattr(component, "id", None)
        if isinstance(name, str) and name in values and _offers(component, values[name]):
            property_name, value = _property(component, values[name])
            found[name] = {property_name: value}
    return found


def described(page: Page) -> dict[str, Any]:
    """What the browser must know of a page to write its address, and to open another one."""
    return {
        "name": page.name,
        "path": page.path,
        "settings": settings_of(page),
        "modes": [view.name for view in views_of(page, beside=False)],
        "around": page.around is not None,
        "fixed": [name for name in settings_of(page) if name in fixed_settings(page)],
        "stores": list(screens_of((page,), Input)[page.name]),
    }


def opened(page: Page, search: str) -> tuple[Values, tuple[str, ...]]:
    """A page's settings in an address's query, and remarks on what cannot be opened."""
    remarks = list[str]()
    try:
        given = settings_in(search)
    except ValueError as error:
        given = given_in(search)
        remarks.append(str(error))
    values, more = parse_settings(given, settings_of(page), {*setting_names(), *AROUND})
    return values, (*remarks, *more)


def screens_of(pages: tuple[Page, ...], kind: type[Input] | type[State]) -> dict[str, dict[str, Any]]:
    """The components that hold what each page shows: its mode, and the stores of its settings."""
    return {
        page.name: {
            **({"mode": kind(f"{page.name}-mode", "value", allow_optional=True)} if views_of(page) else {}),
            **({"around": kind(f"{page.name}-around", "data", allow_optional=True)} if page.around else {}),
            **({"selection": kind(page.selection, "data", allow_optional=True)} if page.selection else {}),
            **{
                view.name: kind(view.state, "data", allow_optional=True)
                for view in views_of(page, beside=False)
                if view.state != page.selection
            },
        }
        for page in pages
    }


def register(app: Dash, pages: tuple[Page, ...]) -> None:
    """Write the address when a setting changes; store one that is too long."""
    screens = [one for screen in screens_of(pages, Input).values() for one in screen.values()]
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
    def store(link: str | None) -> Any:
        if link is None:  # the address is short enough now
            return None, None
        try:
            return {"link": link, "name": short_links.store(link)}, None
        except ValueError as error:
            return None, error_line(str(error))

    app.clientside_callback(
        ClientsideFunction("address", "setFields"), Output("share-button", "lang"), Input("new-fields", "data")
    )
    app.clientside_callback(
        ClientsideFunction("address", "shorten"), Output("share-button", "name"), Input("short-link", "data")
    )
