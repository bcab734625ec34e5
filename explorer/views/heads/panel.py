"""The Heads page: all heads as one picture, and the chosen one beside it.

Run ─> heads-request ─> heads-overview (overview/panel.py), the selectors' limits,
                      the table (heads/panel.py)
a click in the picture or the table, arrow keys (in the browser) ─> heads-layer, heads-head
heads-request, heads-layer, heads-head ─> the large map (heatmap/panel.py)
two chosen tokens (link_panel.py) ─> heads-overview, the table
heads-heatmap-state, heads-mode (in the browser) ─> heads-lines-for, heads-compare-for, the selection of
              the view on the screen; the others send no request to the server
the views' states and the settings beside them (in the browser) ─> heads-shown, the state of the screen
heads-mode (in the browser) ─> which of map, lines (lines/panel.py), comparison (comparison/panel.py),
              distances (distances/panel.py) is visible
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.style import model_label
from explorer.records import CapturedText
from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads import link_panel as heads_link
from explorer.views.heads import options_panel as heads_switches
from explorer.views.heads.heads import VIEW as HEADS
from explorer.views.heads.heads import panel as heads_table
from explorer.views.heads.heatmap import tokens_panel as heads_tokens
from explorer.views.heads.heatmap.panel import within
from explorer.views.heads.overview import panel as heads_overview
from explorer.views.heads.overview.compute import overview_of
from explorer.views.heads.page import PAGE, AroundSettings
from explorer.views.panel import running
from explorer.views.panel import text as heads_text
from explorer.views.panel.fields import counted
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import mode_switch, panels_of, show_chosen_view

_AROUND = {name: HEADS.field(name) for name in AroundSettings.defaults()}


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="heads-around"),
        dcc.Store(id="heads-lines-for"),
        dcc.Store(id="heads-compare-for"),
        dcc.Store(id="heads-window"),
        dcc.Store(id="heads-link"),
        html.Section([*heads_overview.layout(), heads_table.layout()], className="panel overview"),
        html.Section([_head_bar(), *(panel.layout() for panel in panels_of(PAGE))], className="panel"),
    ]


def _head_bar() -> Any:
    return html.Header(
        [
            mode_switch(PAGE),
            counted("heads-layer", "Layer", "Which layer's heads to look at, counted from 0"),
            counted("heads-head", "Head", "Which head of the layer, counted from 0"),
            *heads_switches.layout(),
            html.Div(id="heads-facts", className="facts"),
            html.Div(id="heads-stack-note", className="facts", role="status"),
            html.Div(id="heads-note", className="facts", role="status"),
        ]
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the page's callbacks to ``app``."""

    def prepare(model: str, stack: str, *typed: Any) -> Run:
        request = heads_text.text_request(model, *typed)
        return Run(asdict(request), lambda tell: overview_of(session, request, stack, tell))

    running.register(
        app,
        jobs,
        PAGE.name,
        PAGE.path,
        [Input("run-button", "n_clicks"), Input("heads-truncate", "data")],
        [
            State("heads-stack", "value", allow_optional=True),
            *(State(f"{field}-input", "value") for field in heads_text.FIELDS),
            State("heads-truncate", "data"),
        ],
        prepare,
        heads_text.offer,
    )

    _register_browser_side(app)
    _register_views(app)
    _register_selectors(app, session)

    heads_text.register(app, session)
    heads_switches.register(app)
    heads_tokens.register(app, session)
    heads_link.register(app, session)
    heads_overview.register(app, session)
    for part in (heads_table, *panels_of(PAGE)):
        part.register(app, session, jobs)


def _register_browser_side(app: Dash) -> None:
    """The view on the screen, and the other settings in the address."""
    show_chosen_view(app, PAGE)
    app.clientside_callback(
        ClientsideFunction("heads", "around"),
        Output("heads-around", "data"),
        *(Input(_AROUND[name], "value") for name in ("show", "query", "key")),
        *(Input(_AROUND[name], "data") for name in ("sort", "filter")),
        *(Input(name, "data") for name in ("table-request", "nulls-job", "probe-job")),
        *(State(_AROUND[name], "data") for name in ("nulls", "probe")),
        prevent_initial_call=False,
    )


def _register_views(app: Dash) -> None:
    """Send the chosen head to the view on the screen, and to no other."""
    app.clientside_callback(
        ClientsideFunction("heads", "forViews"),
        Output("heads-lines-for", "data"),
        Output("heads-compare-for", "data"),
        Input("heads-heatmap-state", "data"),
        Input("heads-mode", "value"),
    )


def _register_selectors(app: Dash, session: Session) -> None:
    """Bring the selectors to what the captured model has, in one callback: the map waits for them all."""

    @app.callback(
        Output("heads-stack", "data"),
        Output("heads-stack", "value"),
        Output("heads-stack", "className"),
        Output("heads-stack-note", "children"),
        Output("heads-layer", "max"),
        Output("heads-head", "max"),
        Output("heads-layer", "value"),
        Output("heads-head", "value"),
        Output("heads-note", "children"),
        Output("heads-set", "data"),
        Output("heads-set", "value"),
        Input("heads-request", "data"),
        Input("heads-stack", "value"),
        State("heads-layer", "value"),
        State("heads-head", "value"),
        State("heads-set", "value"),
    )
    def fit_selectors(
        request: dict[str, Any] | None, stack: str | None, layer: Any, head: Any, heads: list[str]
    ) -> Any:
        if request is None:
            return (no_update,) * 11
        cap = session.capture(TextRequest(**request))
        name, stack_note = stack_for(cap, stack)
        source = cap.stack(name)
        last = source.n_layers - 1, source.n_heads - 1
        chosen = within(layer, last[0]), within(head, last[1])
        note = _correction(layer, head, chosen)
        every_head = [f"{layer}.{head}" for layer in range(source.n_layers) for head in range(source.n_heads)]
        kept = [one for one in heads if one in every_head]
        # A value that needs no correction may have been changed by now.
        return (
            list(cap.stacks),
            no_update if name == stack else name,
            "hidden" if len(cap.stacks) == 1 else "",
            no_update if name == stack and ctx.triggered_id == "heads-stack" else stack_note,
            *last,
            *(chosen if note else (no_update, no_update)),
            note,
            every_head,
            no_update if kept == heads else kept,
        )


def _correction(layer: Any, head: Any, chosen: tuple[int, int]) -> str:
    """A note if an address or the previous model names a head that this model lacks."""
    if (layer or 0, head or 0) == chosen:
        return ""
    return f"this model has no layer {layer}, head {head}: layer {chosen[0]}, head {chosen[1]} is shown"


def stack_for(cap: CapturedText, requested: str | None) -> tuple[str, str]:
    """The stack to show, and a note if there is none of the requested name."""
    first = cap.stacks[0]
    if not requested or requested in cap.stacks:
        return requested or first, ""
    return first, f"{model_label(cap.model_name)} has no stack “{requested[:40]}”: {first} is shown"
