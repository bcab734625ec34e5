"""Figures that are kept to be taken along together, and files that are opened again.

keep-button (what is on the screen), save-keep (what the menu shows) ─> kept, kept-button
kept ─> the list; a cross in the list, kept-clear ─> kept
kept-bundle ─> bundle-job ─> bundle-request ─> download          (running.py)
open-file ─> opened-link (in the browser) ─> the page it is of
    of a larger file than is sent its two ends ─> open-file (in the browser, assets/opening.js)

What is kept is the state and the looks of a figure, in the browser, so that it is there the next
time as well; the archive is made of it anew.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlencode

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.app.address import page_at, screens_of
from explorer.app.save_menu import LARGEST_FILE, LOOK, download, look_of, on_screen
from explorer.figures.figure_style import FigureStyle
from explorer.records import ModelError
from explorer.saving.bundle import Kept, bundle
from explorer.saving.metadata import read_provenance
from explorer.saving.remake import view_and_settings
from explorer.saving.save import Saving, figure_of
from explorer.session.cache import Cache
from explorer.session.jobs import Jobs
from explorer.session.links import shortened
from explorer.session.session import Session
from explorer.views.panel import running
from explorer.views.panel.running import Run, error_line
from explorer.views.registry import VIEWS, link_to_view, setting_names, view_named
from explorer.views.spec import Page, ViewSpec

_NAME = "bundle"
_ARCHIVE_BYTES = 200_000_000  # of the last archives, until they are sent


def layout() -> list[Any]:
    """The buttons of the bar below the pages, and the list of what is kept."""
    most: Any = {"data-most": str(LARGEST_FILE)}
    return [
        html.Button("Keep", id="keep-button", className="save", title="Put this figure among those you take along"),
        html.Button(
            "Kept: 0", id="kept-button", className="save", title="The figures you keep, and all of them as one archive"
        ),
        dcc.Upload(
            html.Button(
                "Open a file …",
                className="save",
                title="Open a figure or data file that was saved here: every format remembers what it shows",
                **most,
            ),
            id="open-file",
            multiple=False,
            max_size=LARGEST_FILE,
        ),
        dcc.Store(id="kept", storage_type="local", data=[]),
        dcc.Store(id="opened-link"),
        *running.stores(_NAME),
        dmc.Modal(
            [
                html.Ol(id="kept-list", className="kept"),
                html.Div(id=f"{_NAME}-message"),
                html.Footer(
                    [
                        html.Button("Save all (ZIP)", id="kept-bundle", className="save"),
                        html.Button("Keep none", id="kept-clear", className="save"),
                    ]
                ),
            ],
            id="kept-menu",
            title="Kept figures",
            size="lg",
        ),
    ]


def listed(kept: list[dict[str, Any]]) -> list[Any]:
    """The kept figures, each with a button that removes it."""
    if not kept:
        return [html.P("Nothing is kept yet: press Keep below a figure.", className="muted")]
    return [
        html.Li(
            [
                html.A(one["title"], href=one["link"], className="opens-view"),
                html.Button(
                    "×", id={"type": "unkeep", "place": place}, className="save", title="Remove it from the list"
                ),
            ]
        )
        for place, one in enumerate(kept)
    ]


def entry(session: Session, spec: ViewSpec, values: dict[str, Any], saving: Saving) -> Any:
    """What the browser keeps of a figure.

    Raises:
        ValueError: it cannot be drawn, or its address neither fits nor can be kept.
        ModelError: the model cannot be loaded or failed.
    """
    view = spec.make(session, spec.settings.of(values))
    figure_of(view, saving)  # what cannot be drawn is reported now, not when the archive is made
    name = saving.figure or spec.figures[0]
    return {
        "kind": spec.name,
        "figure": name,
        "state": view.settings.as_dict(),
        "link": shortened(link_to_view(spec, view.settings)),
        "look": asdict(saving.look),
        "dots": saving.dots,
        "title": f"{spec.title}: {view.stem} ({name})",
    }


def kept_of(one: dict[str, Any]) -> Kept:
    """A kept figure out of what the browser keeps of it.

    Raises:
        ValueError: a kind or look this version does not know.
    """
    try:
        saving = Saving(one["figure"], FigureStyle(**one["look"]), one.get("dots", Saving.dots))
        settings = VIEWS[one["kind"]].settings.of(one["state"])
    except (KeyError, TypeError):  # a view or a part of the style that there is not
        raise ValueError(f"{one['title']} is of another version: remove it from the list") from None
    return Kept(one["kind"], settings, saving)


def register(app: Dash, session: Session, jobs: Jobs, pages: tuple[Page, ...]) -> None:
    """Wire both to ``app``."""
    _register_list(app, session, pages)
    _register_bundle(app, session, jobs)
    _register_opening(app)


def _register_list(app: Dash, session: Session, pages: tuple[Page, ...]) -> None:
    @app.callback(
        Output("kept", "data"),
        Output("save-message", "children", allow_duplicate=True),
        Output("save-menu-message", "children", allow_duplicate=True),
        Input("keep-button", "n_clicks"),
        Input("save-keep", "n_clicks"),
        Input({"type": "unkeep", "place": ALL}, "n_clicks"),
        Input("kept-clear", "n_clicks"),
        State("kept", "data"),
        State("url", "pathname"),
        State("save-what", "value"),
        State("save-state", "data"),
        State("save-dots", "value"),
        {name: State(*field) for name, field in LOOK.items()},
        screens_of(pages, State),
    )
    def change(*given: Any) -> Any:
        _, _, removed, _, kept, path, what, state, dots, look, screens = given
        cause, kept = ctx.triggered_id, list(kept or [])
        if cause == "kept-clear":
            return [], None, None
        if isinstance(cause, dict):
            if not any(removed):  # the list was drawn anew
                return (no_update,) * 3
            return [one for place, one in enumerate(kept) if place != cause["place"]], None, None
        try:
            if cause == "save-keep":
                name, _, figure = what.partition("/")
                view = view_named(name)
            else:
                page = page_at(path, pages)
                (view, *_), state = on_screen(page, screens.get(page.name))
                figure = ""
            one = entry(session, view, state, Saving(figure, look_of(look), float(dots)))
        except (ValueError, ModelError) as error:
            line = error_line(str(error))
            # What is said below the page is hidden while the menu is open.
            return no_update, *((None, line) if cause == "save-keep" else (line, None))
        return [*(other for other in kept if other != one), one], None, None

    @app.callback(
        Output("kept-list", "children"),
        Output("kept-button", "children"),
        Input("kept", "data"),
        prevent_initial_call=False,
    )
    def show(kept: list[dict[str, Any]] | None) -> Any:
        return listed(kept or []), f"Kept: {len(kept or [])}"

    app.clientside_callback(
        ClientsideFunction("saving", "openKept"), Output("kept-menu", "opened"), Input("kept-button", "n_clicks")
    )


def _register_bundle(app: Dash, session: Session, jobs: Jobs) -> None:
    archives = Cache(_ARCHIVE_BYTES)

    def archive(kept: list[dict[str, Any]], tell: Any) -> bytes:
        chosen = [kept_of(one) for one in kept]
        key = json.dumps(kept, sort_keys=True)
        return archives.get_or_compute((_NAME, key), lambda: bundle(session, chosen, tell), tell)

    def start(clicks: int | None, kept: list[dict[str, Any]] | None) -> Run | None:
        if not clicks:
            return None
        if not kept:
            raise ValueError("nothing is kept yet: press Keep below a figure first")
        return Run({"kept": kept, "clicks": clicks}, lambda tell: archive(kept, tell))

    running.follow(app, jobs, _NAME, [Input("kept-bundle", "n_clicks")], [State("kept", "data")], start)

    @app.callback(Output("download", "data", allow_duplicate=True), Input(f"{_NAME}-request", "data"))
    def send(request: dict[str, Any] | None) -> Any:
        if request is None:
            return no_update
        return download(archive(request["kept"], None), "attention-figures.zip", "zip")


def _register_opening(app: Dash) -> None:
    @app.callback(
        Output("opened-link", "data"),
        Output("save-message", "children", allow_duplicate=True),
        Output("open-file", "contents"),  # emptied, or the same file would not be read again
        Input("open-file", "contents"),
        State("open-file", "filename"),
    )
    def read(contents: str | None, name: str | None) -> Any:
        if not contents:
            return (no_update,) * 3
        file = name or "the file"
        try:
            record = read_provenance(base64.b64decode(contents.partition(",")[2]), file)
            link = opening_link(record, file)
        except ValueError as error:
            return no_update, error_line(str(error)), None
        return link, None, None

    app.clientside_callback(
        ClientsideFunction("saving", "go"), Output("kept-clear", "name"), Input("opened-link", "data")
    )


def opening_link(record: dict[str, Any], name: str) -> str:
    """The address that shows what a file was saved from.

    What this version does not know is left in it, so that the page says so.

    Raises:
        ValueError: a view that this version does not know, or an address too long that cannot be stored.
    """
    view, settings, _ = view_and_settings(record, name)
    strange = {one: record["settings"][one] for one in record["settings"] if one not in setting_names()}
    link = link_to_view(view, settings)
    query = urlencode(strange, quote_via=quote)
    return shortened(f"{link}{'&' if '?' in link else '?'}{query}" if query else link)
