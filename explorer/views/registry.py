"""The pages and their views, in the order that the explorer shows them; a line a view."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.session.links import AROUND, path_of, settings_in
from explorer.session.requests import ModelRequest
from explorer.session.settings import parse_settings
from explorer.views import embeddings, heads, inside
from explorer.views.spec import Page, ViewSpec

PAGES: tuple[Page, ...] = (heads.PAGE, embeddings.PAGE, inside.PAGE)
VIEWS: dict[str, ViewSpec] = {}


def register(*views: ViewSpec) -> None:
    """Add views: everything that lists views has them from then on.

    Raises:
        ValueError: a name that another view has.
    """
    for view in views:
        if view.name in VIEWS:
            raise ValueError(f"there is a view named {view.name} already: choose another name")
        VIEWS[view.name] = view


def view_named(name: str) -> ViewSpec:
    """The view of a name.

    Raises:
        ValueError: there is none.
    """
    if name not in VIEWS:
        raise ValueError(f"unknown view '{name}': use {', '.join(VIEWS)}")
    return VIEWS[name]


def views_of(page: Page, beside: bool | None = None) -> list[ViewSpec]:
    """A page's views in their order; with ``beside`` only those that stand, or do not stand, beside the others."""
    return [view for view in VIEWS.values() if view.page is page and beside in (None, view.beside)]


def link_to_view(view: ViewSpec, settings: ModelRequest) -> str:
    """The address of a view with these settings."""
    return view.link(settings, first=view is views_of(view.page)[0])


def setting_names() -> frozenset[str]:
    """Every setting that an address may have, whichever view it is of."""
    own = (name for view in VIEWS.values() for name in view.settings.defaults())
    return frozenset([*own, *(name for page in PAGES if page.around for name in page.around.defaults())])


def view_at(link: str, view: ViewSpec | None = None) -> tuple[ViewSpec, ModelRequest, tuple[str, ...]]:
    """The view and the settings of an address, and remarks on what of it is not understood.

    Args:
        link: the address.
        view: the view, where the address need not name it.

    Raises:
        ValueError: no page of that path has a view, or no short link of that name is stored.
    """
    given = settings_in(link)
    chosen, remarks = (view, ()) if view else _chosen(given, path_of(link))
    values, more = parse_settings(given, chosen.settings.defaults(), {*setting_names(), *AROUND})
    return chosen, chosen.settings.of(values), (*remarks, *more)


def _chosen(given: Mapping[str, str], path: str) -> tuple[ViewSpec, tuple[str, ...]]:
    """The view that an address names, or its page's first; and what to say of a name that is unknown."""
    if named := VIEWS.get(given.get("kind", "")):
        return named, ()
    here = [view for view in VIEWS.values() if view.page.path == path]
    if not here:
        raise ValueError(f"{path} is not a page with a view to save: use {', '.join(page.path for page in PAGES)}")
    by_mode = [view for view in here if view.name == given.get("mode") and not view.beside]
    chosen = (by_mode or here)[0]
    unknown = [name for name in ("kind", *(() if by_mode else ("mode",))) if name in given]
    return chosen, tuple(
        f"the address says {name}={given[name][:40]}, a view that this version does not know: "
        f"it may come from a newer one; {chosen.title} is shown"
        for name in unknown
    )


register(*heads.VIEWS, *embeddings.VIEWS, *inside.VIEWS)
