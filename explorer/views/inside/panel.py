"""The Inside page: what happens in one head for one token, with the model's own numbers.

Run ─> inside-request ─> the fields' limits (stack, layer, head, query), inside-note
the fields (in the browser) ─> inside-selection, the state that all views share ─> the view on the
                               screen, a module each ─> inside-<mode>-view, its state
inside-mode (in the browser) ─> which view is seen, and whether inside-first is
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.views.heads.heatmap.panel import within
from explorer.views.inside.page import PAGE
from explorer.views.panel import text as heads_text
from explorer.views.panel.fields import counted, switch
from explorer.views.panel.view_panel import mode_switch, panels_of, show_chosen_view


def layout() -> list[Any]:
    """The page's components."""
    return [
        dcc.Store(id="inside-selection"),
        html.Section(
            [
                _bar(),
                html.Div(id="inside-note", className="facts", role="status"),
                *(panel.layout() for panel in panels_of(PAGE)),
            ],
            className="panel",
        ),
    ]


def _bar() -> Any:
    return html.Header(
        [
            mode_switch(PAGE),
            dmc.SegmentedControl(id="inside-stack", value="", data=[], size="xs", className="hidden"),
            counted("inside-layer", "Layer", "Which layer, counted from 0"),
            counted("inside-head", "Head", "Which head of the layer, counted from 0"),
            html.Label(
                [
                    "Query",
                    dmc.Select(
                        id="inside-query",
                        value="4",
                        data=[],
                        size="xs",
                        w=150,
                        searchable=True,
                        allowDeselect=False,
                        limit=200,
                        nothingFoundMessage="no such token",
                    ),
                ],
                title="The token that attends: whose row is worked out",
                className="selector",
            ),
            switch(
                "inside-first",
                "first token",
                "In many models the first token’s vectors lie far from all others and take an "
                "axis for themselves: leave it out",
                checked=True,
            ),
        ]
    )


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
    """Bring the fields to what the captured model and text have."""

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
        several = len(cap.stacks) > 1
        source = cap.stack(stack if stack in cap.stacks else None)
        last = source.n_layers - 1, source.n_heads - 1, len(source.queries) - 1
        asked = [int(value or 0) for value in typed]
        chosen = [within(value, end) for value, end in zip(asked, last, strict=True)]
        wrong = [f"there is no stack {stack}: {source.name} is shown"] if (stack and stack not in cap.stacks) else []
        wrong += [
            f"there is no {what} {wanted}: {what} {got} is shown"
            for what, wanted, got in zip(("layer", "head", "query"), asked, chosen, strict=True)
            if wanted != got
        ]
        fitted = [source.name if several else "", *chosen[:2], str(chosen[2])]
        tokens = [{"value": str(place), "label": label} for place, label in enumerate(source.queries)]
        return (
            list(cap.stacks) if several else [],
            "" if several else "hidden",
            *last[:2],
            tokens,
            # What need not be corrected may have been chosen anew by now.
            *(
                no_update if (value or "") == new or value == new else new
                for value, new in zip((stack, *typed), fitted, strict=True)
            ),
            "; ".join(wrong),
        )
