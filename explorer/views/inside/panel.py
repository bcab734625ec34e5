"""The Inside page: what one head computes for one token.

Run ─> inside-request ─> the fields' limits (stack, layer, head, query), inside-note
the fields (in the browser) ─> inside-selection, the settings that all views share ─> the view on the
                               screen ─> inside-<mode>-state
inside-mode (in the browser) ─> which view is visible, and whether inside-first is
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.heatmap.panel import within
from explorer.views.inside.page import PAGE
from explorer.views.panel import text as heads_text
from explorer.views.panel.fields import counted, labelled, options_of, segments, select, switch
from explorer.views.panel.view_panel import mode_switch, panels_of, show_chosen_view


def layout() -> list[Any]:
    """The page's components."""
    query = select("inside-query", "4", 150, searchable=True, limit=200, nothingFoundMessage="no such token")
    first = "The first token’s vectors often lie far from all others and take an axis for themselves: leave it out"
    header = [
        mode_switch(PAGE),
        segments("inside-stack", "", {}, className="hidden"),
        counted("inside-layer", "Layer", "Which layer, counted from 0"),
        counted("inside-head", "Head", "Which head of the layer, counted from 0"),
        labelled("Query", "The token that attends, whose row is computed", query),
        switch("inside-first", "first token", first, checked=True),
    ]
    note = html.Div(id="inside-note", className="facts", role="status")
    panels = [panel.layout() for panel in panels_of(PAGE)]
    return [dcc.Store(id="inside-selection"), html.Section([html.Header(header), note, *panels], className="panel")]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the page's callbacks to ``app``."""
    heads_text.run_on_text(app, jobs, PAGE, session.capture)
    _register_browser_side(app)
    _register_limits(app, session)
    for panel in panels_of(PAGE):
        panel.register(app, session, jobs)


def _register_browser_side(app: Dash) -> None:
    show_chosen_view(app, PAGE)
    app.clientside_callback(
        ClientsideFunction("inside", "offerFirst"),
        Output("inside-first-field", "className"),
        Input("inside-mode", "value"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("inside", "view"),
        Output("inside-selection", "data"),
        Input("inside-request", "data"),
        *(Input(f"inside-{field}", "value") for field in ("mode", "stack", "layer", "head", "query")),
    )


def _register_limits(app: Dash, session: Session) -> None:
    """Set the fields' limits and options from the captured model and text."""

    @app.callback(
        Output("inside-stack", "data"),
        Output("inside-stack", "className"),
        Output("inside-layer", "max"),
        Output("inside-head", "max"),
        Output("inside-query", "data"),
        *(Output(f"inside-{field}", "value") for field in ("stack", "layer", "head", "query")),
        Output("inside-note", "children"),
        Input("inside-request", "data"),
        Input("inside-stack", "value"),
        State("inside-layer", "value"),
        State("inside-head", "value"),
        State("inside-query", "value"),
    )
    def fit(request: dict[str, Any] | None, stack: str | None, *typed: Any) -> Any:
        if request is None:
            return (no_update,) * 10
        cap = session.capture(TextRequest(**request))
        source = cap.stack(stack if stack in cap.stacks else None)
        last = source.n_layers - 1, source.n_heads - 1, len(source.queries) - 1
        requested = [int(value or 0) for value in typed]
        possible = [within(value, end) for value, end in zip(requested, last, strict=True)]
        notes = [f"there is no stack {stack}: {source.name} is shown"] if stack and stack not in cap.stacks else []
        notes += [
            f"there is no {what} {number}: {what} {shown} is shown"
            for what, number, shown in zip(("layer", "head", "query"), requested, possible, strict=True)
            if number != shown
        ]
        stacks = list(cap.stacks) if len(cap.stacks) > 1 else []
        values = [source.name if stacks else "", *possible[:2], str(possible[2])]
        return (
            stacks,
            "" if stacks else "hidden",
            *last[:2],
            options_of({str(number): label for number, label in enumerate(source.queries)}),
            # The user may have changed a valid value in the meantime.
            *(
                no_update if (old or "") == new or old == new else new
                for old, new in zip((stack, *typed), values, strict=True)
            ),
            "; ".join(notes),
        )
