"""What all pages share: the bar at the top, the tabs, the status line and the save bar.

In the browser (assets/explorer.js, address.js): the settings on the screen ─> the address; the path
─> the visible page; the theme.

A page is put into the layout when it is first visited (``mount``), its fields filled from the
address (address.py). It stays there, hidden, so that a tab keeps its results, and a page that is
never visited costs nothing. Another address is opened without loading the scripts again: the browser
(assets/address.js) writes ``opened``. Where the text is the same, the page's fields are set to the
new address; otherwise the browser has removed all pages, and the one of the address is mounted. A
page's job and request are stored in the frame and start what is in the page; whatever the frame
reads from a page is optional.

A page is a module: PAGE, layout(), register(app, session, jobs), and in_fields(values) where a field
shows a setting in another form than the address.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.app import address, downloads, learn, presenter
from explorer.app import kept_figures as keeping
from explorer.app import save_menu as saving
from explorer.app import self_check as check
from explorer.models import bundled, hub
from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.embeddings import panel as embeddings
from explorer.views.heads import panel as heads
from explorer.views.inside import panel as inside
from explorer.views.panel import text as heads_text
from explorer.views.panel.examples import EXAMPLE_TEXTS
from explorer.views.panel.running import register_cancel, remark_line, stores

PAGES: tuple[ModuleType, ...] = (heads, embeddings, inside, learn, check)
# A lesson runs nothing itself; the view beside it does.
_RUNNING = tuple(page for page in PAGES if page is not learn)

# The fields of the bar, by setting.
_BAR = {"model": "model-select", "text": "text-input", "pair": "pair-input", "target": "target-input"}
_OPENING: dict[str, Any] = TextRequest.defaults()

_KEYS = (
    ("Ctrl+Enter", "run the model on what is typed"),
    ("← →", "the head before or after"),
    ("↑ ↓", "the layer above or below"),
    ("← →", "in a lesson: the step before or after"),
    ("p", "presenter mode: large type, no controls; Escape leaves it"),
    ("?", "this list"),
)


def layout() -> Any:
    """The whole app: frame and pages."""
    return dmc.MantineProvider(
        html.Div(
            [
                dcc.Location(id="url", refresh=False),
                dcc.Store(id="opened", data={}),
                dcc.Store(id="new-fields"),
                dcc.Store(id="theme"),
                dcc.Store(id="mounted", data=[]),
                dcc.Store(id="pages", data=[address.described(page.PAGE) for page in PAGES]),
                dcc.Store(id="long-link"),
                dcc.Store(id="short-link"),
                *(store for page in PAGES for store in stores(page.PAGE.name)),
                heads_text.store(),
                *presenter.layout(),
                dcc.Download(id="download"),
                _bar(),
                _tabs(),
                html.Div(
                    [
                        *(
                            html.Div(id=f"{page.PAGE.name}-message", className=f"on-{page.PAGE.name}")
                            for page in PAGES
                        ),
                        heads_text.layout(),
                        html.Div(id="link-message"),
                        html.Div(id="short-link-message"),
                        html.Div(id="save-message"),
                    ],
                    id="status",
                ),
                *(html.Main(id=f"{page.PAGE.name}-page", className=f"page {page.PAGE.name} hidden") for page in PAGES),
                html.Footer([*saving.layout(), *keeping.layout()]),
                _keys(),
            ],
            className="app",
        ),
        id="mantine",
        theme={
            "primaryColor": "orange",
            "primaryShade": 8,
            "fontFamily": "inherit",
            "defaultRadius": "sm",
            "components": {
                "Combobox": {"defaultProps": {"keepMounted": False}},
                "Popover": {"defaultProps": {"keepMounted": False}},
            },
        },
    )


def all_of_it() -> Any:
    """The frame with every page, by which Dash checks the callbacks."""
    return html.Div([layout(), *(html.Div(page.layout()) for page in PAGES)])


def _bar() -> Any:
    return html.Header(
        [
            dmc.Autocomplete(
                id="model-select",
                data=_models(),
                debounce=True,
                w=230,
                size="sm",
                limit=50,
                placeholder="model",
                openOnFocus=True,
                maxDropdownHeight=420,
                filter={"function": "modelsToOffer"},
                comboboxProps={"width": 420, "position": "bottom-start"},
                **{"aria-label": "Model"},
            ),
            html.Span(id="model-facts", className="badge"),
            html.Div(
                [
                    _field("text-input", "Text", "Type a text, then press Run (Ctrl+Enter)"),
                    _field("pair-input", "Second text", "Second text, read with the first"),
                    _field("target-input", "Target", "The decoder's text; empty: generated"),
                ],
                className="texts on-text",
            ),
            html.Button(
                "+ second text",
                id="pair-toggle",
                className="icon on-text",
                title="This model reads pairs: give it a second text",
            ),
            html.Div("The word and its sentences are below.", className="texts on-embeddings muted"),
            html.Div("Read a step, then try it.", className="slogan on-learn"),
            dmc.Select(
                id="examples",
                placeholder="Examples",
                size="sm",
                w=130,
                className="on-text",
                data=[{"value": text, "label": title} for title, text in EXAMPLE_TEXTS],
                comboboxProps={"width": 240},
            ),
            dmc.Button("Run", id="run-button", size="sm"),
            _icon("share-button", "Link", "Copy a link that opens just this"),
            _icon("theme-toggle", "☾", "Light or dark"),
            _icon("present-button", "⛶", "Presenter mode (p)"),
            _icon("keys-button", "?", "Keyboard"),
        ],
        className="bar",
    )


def _field(name: str, label: str, placeholder: str) -> Any:
    return html.Label(
        dcc.Textarea(id=name, value="", placeholder=placeholder, title=label, className="field"),
        className="hidden" if name != "text-input" else "",
        id=f"{name}-field",
    )


def _icon(name: str, sign: str, why: str) -> Any:
    label: Any = {"aria-label": why}
    return html.Button(sign, id=name, title=why, className="icon", **label)


def _tabs() -> Any:
    return html.Nav(
        [
            dcc.Link(page.PAGE.title, href=page.PAGE.path, className="page-tab", id=f"tab-{page.PAGE.title.lower()}")
            for page in PAGES
        ]
    )


def _keys() -> Any:
    rows = [html.Tr([html.Td(html.Kbd(key)), html.Td(what)]) for key, what in _KEYS]
    return dmc.Modal(html.Table(html.Tbody(rows), className="keys"), id="keys", title="Keyboard")


def _models() -> list[dict[str, Any]]:
    """The groups of the model field: bundled, in the cache, on the hub."""
    ready = [name for name in bundled.BUNDLED if bundled.is_installed(name)]
    cached = [preset.repo for preset in hub.PRESETS if hub.is_cached(preset.repo)]
    online = [preset.repo for preset in hub.PRESETS if preset.repo not in cached]
    groups = [
        ("bundled, no network needed", ready),
        ("in the cache", cached),
        ("on the hub, downloaded when chosen (any hub id or folder can be typed)", online),
    ]
    return [{"group": title, "items": names} for title, names in groups if names]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Register the callbacks of the frame and of every page."""
    for page in PAGES:
        page.register(app, session, jobs)
    register_cancel(app, jobs)
    downloads.register(app, session)
    presenter.register(app)
    pages = tuple(page.PAGE for page in PAGES)
    address.register(app, pages)
    saving.register(app, session, pages)
    keeping.register(app, session, jobs, pages)
    _register_browser_side(app)

    @app.callback(
        *(Output(f"{page.PAGE.name}-page", "children") for page in PAGES),
        Output("mounted", "data"),
        *(Output(f"{page.PAGE.name}-job", "data", allow_duplicate=True) for page in _RUNNING),
        *(Output(field, "value") for field in _BAR.values()),
        Output("heads-truncate", "data"),
        Output("link-message", "children"),
        Output("new-fields", "data"),
        Input("url", "pathname"),
        Input("opened", "data"),
        State("url", "search"),
        State("mounted", "data"),
        prevent_initial_call="initial_duplicate",
    )
    def mount(path: str | None, opening: dict[str, Any], search: str | None, mounted: list[str]) -> Any:
        reopened = "opened.data" in ctx.triggered_prop_ids
        if reopened and not opening["keep"]:
            mounted = []
        page = address.page_at(path or "", [page.PAGE for page in PAGES])
        module = next(one for one in PAGES if one.PAGE is page)
        if path is None or (page.name in mounted and not reopened):
            return (no_update,) * (len(PAGES) + len(_RUNNING) + len(_BAR) + 4)
        values, remarks = address.opened(page, search or "")
        layout, state = module.layout(), getattr(module, "in_fields", dict)(values)
        fields = address.fields_of(page)
        message = remark_line([*remarks, *address.refused(layout, fields, state)])
        if page.name in mounted:
            new_fields = address.field_values(layout, address.fields_in_place(page), state)
            return *(no_update,) * (len(PAGES) + len(_RUNNING) + len(_BAR) + 2), message, new_fields
        children = [address.filled(layout, fields, state) if one is module else no_update for one in PAGES]
        # A job of a page that was removed belongs to another address.
        jobs_before = [no_update if mounted else None for _ in _RUNNING]
        # A second page takes the texts from the bar.
        bar = {**_OPENING, **values} if not mounted else {}
        texts = [bar.get(name, no_update) for name in _BAR]
        truncated = texts[1:] if bar.get("truncate") else no_update if mounted else None
        return *children, [*mounted, page.name], *jobs_before, *texts, truncated, message, no_update

    @app.callback(
        Output("model-facts", "children"),
        Output("pair-toggle", "hidden"),
        Output("target-input-field", "className"),
        State("model-select", "value"),
        *(Input(f"{page.PAGE.name}-request", "data") for page in PAGES),
    )
    def show_model(name: str | None, *_requests: Any) -> Any:
        facts = session.facts(name or "")
        if facts is None:
            return no_update, True, "hidden"
        return (facts.line, not facts.takes_pairs, "" if facts.is_encoder_decoder else "hidden")


def _register_browser_side(app: Dash) -> None:
    def browser(name: str, *wiring: Any, **how: Any) -> None:
        app.clientside_callback(ClientsideFunction("explorer", name), *wiring, **how)

    browser(
        "readTheme",
        Output("theme", "data"),
        Input("opened", "data"),
        State("url", "search"),
        prevent_initial_call=False,
    )
    browser(
        "showPage",
        *(Output(f"{page.PAGE.name}-page", "className") for page in PAGES),
        Input("url", "pathname"),
        State("pages", "data"),
        prevent_initial_call=False,
    )
    browser(
        "applyTheme",
        Output("mantine", "forceColorScheme"),
        Output("theme-toggle", "children"),
        Input("theme", "data"),
        prevent_initial_call=False,
    )
    browser(
        "toggleTheme",
        Output("theme", "data", allow_duplicate=True),
        Input("theme-toggle", "n_clicks"),
        State("theme", "data"),
    )
    browser("useExample", Output("text-input", "value", allow_duplicate=True), Input("examples", "value"))
    browser(
        "showPair",
        Output("pair-input-field", "className"),
        Output("pair-toggle", "children"),
        Output("pair-input", "value", allow_duplicate=True),
        Input("pair-toggle", "n_clicks"),
        Input("pair-toggle", "hidden"),
        State("pair-input-field", "className"),
        State("pair-input", "value"),
        prevent_initial_call="initial_duplicate",
    )
    browser(
        "dimWhileWorking",
        Output("status", "className"),
        *(Input(f"{page.PAGE.name}-poll", "disabled") for page in PAGES),
    )
    browser("share", Output("share-button", "children"), Input("share-button", "n_clicks"))
    browser("openKeys", Output("keys", "opened"), Input("keys-button", "n_clicks"))
