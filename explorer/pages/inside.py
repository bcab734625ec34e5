"""The Inside page: what happens in one head for one token, with the model's own numbers.

Run ─> inside-request ─> the fields' limits (stack, layer, head, query)
the fields ─> inside-view (for the address) ─> the view on the screen, a module each
"""

from __future__ import annotations

from dataclasses import asdict
from types import ModuleType
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.jobs import Jobs
from explorer.links import Value
from explorer.pages import (
    heads_text,
    inside_heads,
    inside_mask,
    inside_moves,
    inside_points,
    inside_row,
    inside_sharing,
    running,
)
from explorer.pages.address import Shown
from explorer.pages.fields import counted
from explorer.pages.heads_map import within
from explorer.pages.running import Run
from explorer.session import Session, TextRequest

PATH, NAME, TITLE = "/inside", "inside", "Inside a head"
VIEWS: tuple[ModuleType, ...] = (
    inside_row,
    inside_points,
    inside_moves,
    inside_mask,
    inside_heads,
    inside_sharing,
)
SHOWN: dict[str, Shown] = {}
ADDRESS: dict[str, str] = {}
AROUND: dict[str, Value] = {}


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="inside-opened", data=True),
        dcc.Store(id="inside-view"),
        html.Section(
            [
                _bar(),
                html.Div(id="inside-note", className="facts", role="status"),
                *(view.layout() for view in VIEWS),
            ],
            className="panel",
        ),
    ]


def _bar() -> Any:
    return html.Header(
        [
            dmc.SegmentedControl(
                id="inside-mode", value=VIEWS[0].MODE, size="xs",
                data=[{"value": view.MODE, "label": view.LABEL} for view in VIEWS],
            ),
            dmc.SegmentedControl(
                id="inside-stack", value="", data=[], size="xs", className="hidden"
            ),
            counted("inside-layer", "Layer", "Which layer, counted from 0"),
            counted("inside-head", "Head", "Which head of the layer, counted from 0"),
            html.Label(
                [
                    "Query",
                    dmc.Select(
                        id="inside-query", value="0", data=[], size="xs", w=150, searchable=True,
                        allowDeselect=False, limit=200, nothingFoundMessage="no such token",
                    ),
                ],
                title="The token that attends: whose row is worked out",
                className="selector",
            ),
        ]
    )  # fmt: skip


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the page's callbacks to ``app``."""

    def prepare(model: str, *typed: Any) -> Run:
        request = heads_text.text_request(model, *typed)
        return Run(asdict(request), lambda tell: session.capture(request, tell))

    running.register(
        app, jobs, NAME, PATH,
        [Input("run-button", "n_clicks"), Input("heads-truncate", "data")],
        [*(State(f"{field}-input", "value") for field in heads_text.FIELDS),
         State("heads-truncate", "data")],
        prepare, heads_text.offer,
    )  # fmt: skip
    _register_browser_side(app)
    _register_limits(app, session)
    for view in VIEWS:
        view.register(app, session)


def _register_browser_side(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("inside", "open"),
        Output("inside-mode", "value"),
        *(Output(f"inside-{field}", "value", allow_duplicate=True)
          for field in ("stack", "layer", "head", "query")),
        Output("heads-truncate", "data", allow_duplicate=True),
        Input("inside-opened", "data"),
        State("defaults", "data"),
        State("url", "search"),
        prevent_initial_call="initial_duplicate",
    )  # fmt: skip
    app.clientside_callback(
        ClientsideFunction("explorer", "showView"),
        *(Output(f"inside-{view.MODE}", "className") for view in VIEWS),
        Input("inside-mode", "value"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("inside", "view"),
        Output("inside-view", "data"),
        Input("inside-request", "data"),
        *(Input(f"inside-{field}", "value")
          for field in ("mode", "stack", "layer", "head", "query")),
    )  # fmt: skip


def _register_limits(app: Dash, session: Session) -> None:
    """Bring the fields to what the captured model and text have."""

    @app.callback(
        Output("inside-stack", "data"),
        Output("inside-stack", "value"),
        Output("inside-stack", "className"),
        Input("inside-request", "data"),
        State("inside-stack", "value"),
    )
    def fit_stack(request: dict[str, Any] | None, stack: str) -> Any:
        if request is None:
            return (no_update,) * 3
        stacks = session.capture(TextRequest(**request)).stacks
        if len(stacks) == 1:
            return [], "", "hidden"
        return list(stacks), stack if stack in stacks else stacks[0], ""

    @app.callback(
        Output("inside-layer", "max"),
        Output("inside-head", "max"),
        Output("inside-query", "data"),
        Output("inside-layer", "value"),
        Output("inside-head", "value"),
        Output("inside-query", "value"),
        Output("inside-note", "children"),
        Input("inside-request", "data"),
        Input("inside-stack", "value"),
        State("inside-layer", "value"),
        State("inside-head", "value"),
        State("inside-query", "value"),
    )
    def fit(request: dict[str, Any] | None, stack: str, layer: Any, head: Any, query: Any) -> Any:
        if request is None:
            return (no_update,) * 7
        cap = session.capture(TextRequest(**request))
        source = cap.stack(stack if stack in cap.stacks else None)
        last = source.n_layers - 1, source.n_heads - 1, len(source.queries) - 1
        asked = [int(value or 0) for value in (layer, head, query)]
        chosen = [within(value, end) for value, end in zip(asked, last, strict=True)]
        said = [
            f"there is no {what} {wanted}: {what} {got} is shown"
            for what, wanted, got in zip(("layer", "head", "query"), asked, chosen, strict=True)
            if wanted != got
        ]
        tokens = [
            {"value": str(place), "label": label} for place, label in enumerate(source.queries)
        ]
        kept = [
            no_update if value == str(got) or value == got else new
            for value, got, new in zip(
                (layer, head, query), chosen, [*chosen[:2], str(chosen[2])], strict=True
            )
        ]
        return last[0], last[1], tokens, *kept, "; ".join(said)
