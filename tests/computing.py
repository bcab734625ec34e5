"""Views as the page, the command line and notebooks compute them."""

from __future__ import annotations

from typing import Any

from explorer.session.session import Session
from explorer.views.registry import VIEWS, link_to_view, view_at
from explorer.views.spec import ComputedView


def computed(session: Session, name: str, **values: Any) -> ComputedView:
    """A view with these settings, the others at their defaults."""
    view = VIEWS[name]
    return view.make(session, view.settings.of(values))


def computed_at(session: Session, link: str) -> tuple[ComputedView, tuple[str, ...]]:
    """The view of an address, and remarks on what of it is not understood or not read."""
    view, settings, remarks = view_at(link)
    found = view.make(session, settings)
    return found, (*remarks, *found.unread(settings))


def link_of(view: ComputedView) -> str:
    """The address that shows a view."""
    return link_to_view(view.spec, view.settings)


def view_of(name: str, record: Any, **values: Any) -> ComputedView:
    """The view of a record that a test has made."""
    view = VIEWS[name]
    return ComputedView(view, view.settings.of(values), record, "cpu", "float32")


def json_of(name: str, record: Any, **values: Any) -> dict[str, Any]:
    """The JSON of a record that a test has made."""
    return view_of(name, record, **values).result()
