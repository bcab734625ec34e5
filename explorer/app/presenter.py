"""Presenter mode: large type, and only the view on the screen.

In the browser (assets/presenter.js):
    the address ─> present
    the button, the key p, Escape ─> present ─> the look of the page; the address (frame.py)
    present-unfold ─> the fields, shown or hidden
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html


def layout() -> list[Any]:
    """The store of the mode, and its two buttons."""
    return [
        dcc.Store(id="present", data=False),
        html.Div(
            [
                html.Button("Controls", id="present-unfold", className="save", title="Show or hide the fields"),
                html.Button(
                    "Leave presenter mode (Esc)",
                    id="present-leave",
                    className="save",
                    title="Show the bar and the tabs again",
                ),
            ],
            className="presenting",
        ),
    ]


def register(app: Dash) -> None:
    """Register its callbacks."""

    def browser(name: str, *wiring: Any, **how: Any) -> None:
        app.clientside_callback(ClientsideFunction("presenter", name), *wiring, **how)

    browser(
        "read", Output("present", "data"), Input("opened", "data"), State("url", "search"), prevent_initial_call=False
    )
    browser("apply", Output("present-leave", "name"), Input("present", "data"), prevent_initial_call=False)
    browser("unfold", Output("present-unfold", "name"), Input("present-unfold", "n_clicks"))
    browser(
        "toggle",
        Output("present", "data", allow_duplicate=True),
        Input("present-button", "n_clicks"),
        Input("present-leave", "n_clicks"),
        State("present", "data"),
    )
