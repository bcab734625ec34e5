"""Saving what is on the screen: one menu for every view, with a preview.

save-button ─> save-state (the page and the state on its screen), save-what, the menu opens
save-what, -state, the look's fields ─> save-preview, save-size, save-remarks, save-drawn
save-png, save-svg (in the browser, assets/saving.js) ─> save-picture, drawn from the preview
save-picture ─> download, save-menu-message
save-pdf, -html, -csv, -json, -npz ─> download, save-menu-message

Keeping several figures and opening a file again: kept_figures.py.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.app.address import page_at, screens_of
from explorer.figures.figure_style import FONTS, UNITS, FigureStyle
from explorer.figures.style import PALETTES, blank_figure
from explorer.figures.vector import vectorised
from explorer.records import ModelError
from explorer.saving.files import FORMATS, ExportError
from explorer.saving.save import Saving, figure_of, file_name, picture_file, record, remarks_of, saved
from explorer.session.session import Session
from explorer.views.panel.fields import labelled
from explorer.views.panel.running import error_line, remark_line
from explorer.views.registry import view_named, views_of
from explorer.views.spec import ComputedView, Page, ViewSpec

_BROWSER_MADE = ("png", "svg")
_SERVER_MADE = ("pdf", "html", "csv", "json", "npz")
_WHY = {
    "png": "A picture of dots, for slides and pages",
    "svg": "A drawing that stays sharp at any size; labels are text",
    "pdf": "A drawing for LaTeX and print; labels are text. Needs a Chrome or Chromium here",
    "html": "A page to hover and zoom, which needs no network",
    "csv": "The numbers as rows",
    "json": "The numbers with all that made them; remake makes it again from this file alone",
    "npz": "The numbers as arrays, for numpy",
}
_TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "json": "application/json",
    "npz": "application/zip",
    "zip": "application/zip",
}
LARGEST_FILE = 12_000_000  # bytes that the browser sends; in base64 they must fit into a request (server.py)
_PREVIEW = 540  # pixels that the preview has

# The look's fields, in the order ``look_of`` takes them.
LOOK = {
    "theme": ("save-theme", "value"),
    "palette": ("save-palette", "value"),
    "width": ("save-width", "value"),
    "unit": ("save-unit", "value"),
    "font": ("save-font", "value"),
    "points": ("save-points", "value"),
    "title": ("save-title", "checked"),
    "caption": ("save-caption", "checked"),
}
NOTHING = "there is nothing to save yet: press Run first"


def layout() -> list[Any]:
    """The button of the bar below the pages, and the menu it opens."""
    why = "This view as PNG, SVG, PDF, HTML, CSV, JSON or NPZ, with a preview"
    return [
        html.Button("Save …", id="save-button", className="save", title=why),
        dcc.Store(id="save-state"),
        dcc.Store(id="save-drawn"),
        dcc.Store(id="save-picture"),
        dmc.Modal(
            html.Div([_choices(), _preview()], className="saving"),
            id="save-menu",
            title="Save this view",
            size="74rem",
            keepMounted=True,
        ),
    ]


def _choices() -> Any:
    plain = FigureStyle()
    small: dict[str, Any] = {"size": "xs", "allowDeselect": False}
    return html.Div(
        [
            labelled(
                "What", "Which part of the screen", dmc.Select(id="save-what", data=[], value=None, w=220, **small)
            ),
            html.Div(
                [
                    labelled(
                        "Width",
                        "Of the whole figure; empty: as its labels need",
                        dmc.NumberInput(
                            id="save-width",
                            value="",
                            min=0,
                            step=0.5,
                            size="xs",
                            w=84,
                            placeholder="own",
                            debounce=300,
                        ),
                    ),
                    dmc.Select(
                        id="save-unit",
                        data=list(UNITS),
                        value=plain.unit,
                        w=100,
                        **{"aria-label": "Unit of the width; a column has 8.5 cm"},
                        **small,
                    ),
                ],
                className="row",
            ),
            html.Div(
                [
                    labelled(
                        "Letters",
                        "The font of all labels",
                        dmc.Select(id="save-font", data=list(FONTS), value=plain.font, w=120, **small),
                    ),
                    dmc.NumberInput(
                        id="save-points",
                        value=plain.points,
                        min=4,
                        max=32,
                        step=0.5,
                        size="xs",
                        w=76,
                        suffix=" pt",
                        debounce=300,
                        **{"aria-label": "Size of the letters in points"},
                    ),
                ],
                className="row",
            ),
            labelled(
                "Theme",
                "Light or dark",
                dmc.SegmentedControl(id="save-theme", value="light", size="xs", data=["light", "dark"]),
            ),
            labelled(
                "Colours",
                "All are even in lightness and safe for colour-blind readers; greys make everything grey, for print",
                dmc.Select(
                    id="save-palette",
                    value="",
                    w=160,
                    data=[{"value": "", "label": "as shown"}, *({"value": name, "label": name} for name in PALETTES)],
                    **small,
                ),
            ),
            html.Div(
                [
                    dmc.Switch(id="save-title", label="title", checked=True, size="xs"),
                    dmc.Switch(id="save-caption", label="caption", checked=True, size="xs"),
                ],
                className="row",
            ),
            labelled(
                "PNG",
                "Dots for each pixel of the figure: 3 are fit for print",
                dmc.SegmentedControl(
                    id="save-dots",
                    value="3",
                    size="xs",
                    data=[{"value": str(n), "label": f"{n}×"} for n in (1, 2, 3, 4)],
                ),
            ),
            html.Div([_button(kind) for kind in FORMATS], className="formats"),
            html.Button(
                "Keep",
                id="save-keep",
                className="save",
                title="Put this figure, as it looks here, among those you take along",
            ),
            html.Div(id="save-menu-message"),
        ],
        className="choices",
    )


def _button(kind: str) -> Any:
    return html.Button(kind.upper(), id=f"save-{kind}", title=_WHY[kind], className="save")


def _preview() -> Any:
    return html.Div(
        [
            html.P(id="save-size", className="caption"),
            html.Div(id="save-remarks"),
            html.Div(
                dcc.Graph(
                    id="save-preview", figure=blank_figure("the figure appears here"), config={"staticPlot": True}
                ),
                id="save-paper",
            ),
        ],
        className="preview",
    )


def on_screen(page: Page, screen: Mapping[str, Any] | None) -> tuple[list[ViewSpec], dict[str, Any]]:
    """The views that a page's screen can be saved as, and the values of their settings.

    Args:
        page: the page.
        screen: what its stores hold, as in ``address.screens_of``.

    Raises:
        ValueError: nothing is seen yet, or the page has nothing to save.
    """
    views = views_of(page, beside=False)
    if not screen or not views:
        raise ValueError(f"{page.title} has no figure to save: go to one of the other pages")
    view = next((one for one in views if one.name == screen["mode"]), views[0])
    values = screen[view.name] if view.name in screen else screen["selection"]
    if not values:
        raise ValueError(NOTHING)
    return [view, *views_of(page, beside=True)], {
        **(screen["selection"] or {}),
        **values,
        **(screen.get("around") or {}),
    }


def options(view: ViewSpec) -> list[dict[str, str]]:
    """A view's figures as the menu offers them, the chief one by the view's title alone."""
    first, *others = view.figures
    named = [(first, view.title), *((name, f"{view.title}: {name}") for name in others)]
    return [{"value": f"{view.name}/{name}", "label": label} for name, label in named]


def look_of(values: dict[str, Any]) -> FigureStyle:
    """The look that the fields tell.

    Raises:
        ValueError: a size out of range.
    """
    chosen = dict(values)
    chosen["width"] = float(chosen["width"] or 0)
    chosen["points"] = float(chosen["points"] or FigureStyle().points)
    chosen["palette"] = chosen["palette"] or ""
    return FigureStyle(**chosen)


def download(content: bytes, name: str, kind: str) -> dict[str, Any]:
    """A file as ``dcc.Download`` takes it."""
    return {"content": base64.b64encode(content).decode(), "base64": True, "filename": name, "type": _TYPES[kind]}


def picture_bytes(url: str) -> bytes:
    """A picture of the browser's, which is sent as a data URL.

    Raises:
        ValueError: there is none in it, as of a picture with more dots than a browser draws.
    """
    head, _, content = url.partition(",")
    if not content:
        raise ValueError("the browser could not draw so many dots: choose fewer for PNG, or a smaller width")
    return base64.b64decode(content) if head.endswith(";base64") else unquote_to_bytes(content)


def register(app: Dash, session: Session, pages: tuple[Page, ...]) -> None:
    """Wire the menu to ``app``."""

    def view_of(what: str, values: dict[str, Any]) -> tuple[ComputedView, str]:
        name, _, figure = what.partition("/")
        view = view_named(name)
        return view.make(session, view.settings.of(values)), figure

    @app.callback(
        Output("save-menu", "opened"),
        Output("save-what", "data"),
        Output("save-what", "value"),
        Output("save-state", "data"),
        Output("save-size", "children", allow_duplicate=True),
        Output("save-drawn", "data", allow_duplicate=True),
        Output("save-message", "children"),
        Input("save-button", "n_clicks"),
        State("url", "pathname"),
        State("save-what", "value"),
        screens_of(pages, State),
    )
    def offer(_clicks: int, path: str, chosen: str | None, screens: dict[str, Any]) -> Any:
        page = page_at(path, pages)
        try:
            views, state = on_screen(page, screens.get(page.name))
            offered = [option for view in views for option in options(view)]
        except ValueError as error:
            return False, *(no_update,) * 5, error_line(str(error))
        values = [one["value"] for one in offered]
        what = chosen if chosen in values else values[0]
        # What is still in the preview is of another time.
        return True, offered, what, state, "", None, None

    @app.callback(
        Output("save-preview", "figure"),
        Output("save-paper", "style"),
        Output("save-size", "children"),
        Output("save-remarks", "children"),
        Output("save-drawn", "data"),
        Input("save-what", "value"),
        Input("save-state", "data"),
        Input("save-dots", "value"),
        {name: Input(*field) for name, field in LOOK.items()},
        running=[(Output(f"save-{kind}", "disabled"), True, False) for kind in _BROWSER_MADE],
    )
    def preview(what: str | None, state: Any, dots: str, look: dict[str, Any]) -> Any:
        if not what or not state:
            return (no_update,) * 5
        try:
            view, figure = view_of(what, state)
            saving = Saving(figure, look_of(look), float(dots))
            drawn = figure_of(view, saving)
        except (ValueError, ModelError) as error:
            return no_update, no_update, "", error_line(str(error)), None
        layout, (width, height) = drawn.figure.layout, drawn.size_cm
        pixels = [round(side * drawn.scale * saving.dots) for side in (layout.width, layout.height)]
        size = f"{width:.1f} × {height:.1f} cm; as PNG {pixels[0]:,} × {pixels[1]:,} dots"
        kept = {
            "records": {kind: record(session, view, kind, saving) for kind in _BROWSER_MADE},
            "scale": drawn.scale,
            "dots": saving.dots,
            "size_cm": (width, height),
            "most": LARGEST_FILE,
            "names": {kind: file_name(view, kind, saving) for kind in _BROWSER_MADE},
        }
        zoom = {"zoom": min(1, _PREVIEW / layout.width)}
        return vectorised(drawn.figure), zoom, size, remark_line(remarks_of(drawn)), kept

    @app.callback(
        Output("download", "data"),
        Output("save-menu-message", "children"),
        *(Input(f"save-{kind}", "n_clicks") for kind in _SERVER_MADE),
        State("save-what", "value"),
        State("save-state", "data"),
        {name: State(*field) for name, field in LOOK.items()},
        running=[(Output(f"save-{kind}", "disabled"), True, False) for kind in _SERVER_MADE],
    )
    def save(*given: Any) -> Any:
        *clicks, what, state, look = given
        if not any(clicks) or not what or not state:
            return no_update, no_update
        kind = str(ctx.triggered_id).removeprefix("save-")
        try:
            view, figure = view_of(what, state)
            saving = Saving(figure, look_of(look))
            content = saved(session, view, kind, saving)
        except (ValueError, ModelError, ExportError) as error:
            return no_update, error_line(str(error))
        return download(content, file_name(view, kind, saving), kind), None

    app.clientside_callback(
        ClientsideFunction("saving", "draw"),
        Output("save-picture", "data"),
        Output("save-menu-message", "children", allow_duplicate=True),
        *(Input(f"save-{kind}", "n_clicks") for kind in _BROWSER_MADE),
        State("save-preview", "figure"),
        State("save-drawn", "data"),
    )

    @app.callback(
        Output("download", "data", allow_duplicate=True),
        Output("save-menu-message", "children", allow_duplicate=True),
        Output("save-picture", "data", allow_duplicate=True),  # emptied: it is large
        Input("save-picture", "data"),
        running=[(Output(f"save-{kind}", "disabled"), True, False) for kind in _BROWSER_MADE],
    )
    def save_picture(picture: dict[str, Any] | None) -> Any:
        if not picture:
            return (no_update,) * 3
        kind, drawn = picture["kind"], picture["drawn"]
        try:
            content = picture_file(
                picture_bytes(picture["url"]), kind, drawn["records"][kind], drawn["size_cm"], drawn["dots"]
            )
        except ValueError as error:
            return no_update, error_line(str(error)), None
        return download(content, drawn["names"][kind], kind), None, None
