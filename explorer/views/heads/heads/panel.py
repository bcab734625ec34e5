"""The table of heads: every measure a column, to sort and filter by, and their help.

heads-request, heads-stack ─> table-request ─> heads-table, the numbers of the grid
shuffle, probe (buttons), heads-nulls, heads-probed (from an address)
    ─> nulls-request, probe-request ─> more columns (columns.py)
the columns, a click on a header or a filter (in the browser, assets/heads-heads.js)
    <─> heads-sort, heads-filter, as in an address
a click in a row (in the browser) ─> heads-layer, heads-head
a filter (in the browser, assets/heads-heads-filters.js) ─> heads-filtered; other heads fade in the pictures
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.analysis.measures import MEASURES
from explorer.records import FloatArray
from explorer.session.jobs import Jobs
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import Value
from explorer.views.heads.heads import HeadsSettings
from explorer.views.heads.heads import help_panel as heads_help
from explorer.views.heads.heads.columns import column_definitions
from explorer.views.heads.heads.compute import compute, head_rows
from explorer.views.heads.measured import best_offsets_of, induction_scores_of, measures_of, null_scores_of
from explorer.views.panel import running
from explorer.views.panel.running import Run

_JOBS = ("table", "nulls", "probe")
_STORES = ("heads-nulls", "heads-probed", "heads-sort", "heads-filter")


def layout() -> Any:
    """The table's components, for the panel with the picture of all heads."""
    buttons = [
        _button(
            "Against shuffled tokens",
            "heads-shuffle",
            "Every measure on the same tokens in 20 random orders: z is the distance of the text's own score "
            "from those. Also the fixed offset that explains most of each head",
        ),
        _button(
            "Induction probe",
            "heads-probe",
            "Two copies of a random token sequence: what a head copies there, it copies without meaning "
            "to help (Olsson et al. 2022)",
        ),
        _button(
            "Table as CSV",
            "heads-table-csv",
            "Every head and column, hidden heads as well, as `python -m explorer heads` writes them",
        ),
        html.Button("Help", id="measures-open", className="save"),
    ]
    filtered = [
        html.Span(id="heads-filtered-count", role="status"),
        _button("Clear filters", "heads-filter-clear", "Show all heads again, in the table and in the pictures"),
    ]
    grid = dag.AgGrid(
        id="heads-table",
        columnDefs=column_definitions(MEASURES),
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={
            "sortable": True,
            "filter": "agNumberColumnFilter",
            "resizable": True,
            "width": 112,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
            "sortingOrder": ["desc", "asc", None],
        },
        dashGridOptions={"rowHeight": 26, "tooltipShowDelay": 300, "animateRows": False},
    )
    return html.Div(
        [
            *(store for name in _JOBS for store in running.stores(name)),
            *(dcc.Store(id=name) for name in _STORES),
            html.Div(buttons, className="buttons"),
            *(html.Div(id=f"{name}-message") for name in _JOBS),
            html.Div(filtered, id="heads-filtered", className="buttons hidden"),
            grid,
            heads_help.layout(),
        ],
        className="table",
    )


def _button(label: str, name: str, why: str) -> Any:
    return html.Button(label, id=name, className="save", title=why)


def rows(columns: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """The table's rows, each with the id by which the browser knows its head."""
    return [{"id": f"{row['layer']}.{row['head']}"} | row for row in head_rows(columns)]


def stack_request(session: Session, request: dict[str, Any] | None, stack: str) -> dict[str, Value] | None:
    """The text and stack whose heads are measured, as settings; None before any run."""
    if request is None:
        return None
    text = session.read_of(TextRequest.of(request))
    stacks = session.capture(text).stacks
    chosen = stack if stack in stacks else stacks[0]
    return {**text.as_dict(), "stack": chosen if len(stacks) > 1 else ""}


def table_settings(
    request: dict[str, Any], nulls: dict[str, Any] | None, probed: dict[str, Any] | None, link: list[int] | None
) -> HeadsSettings:
    """The settings of the table, with the columns that were requested so far.

    Args:
        request: the text and stack, from ``stack_request``.
        nulls: the last text and stack whose tokens were shuffled.
        probed: the last model with an induction probe.
        link: the two chosen tokens.
    """
    query, key = map(str, link) if link is not None else ("", "")
    probe = probed is not None and probed["model"] == request["model"]
    return HeadsSettings.of({**request, "nulls": nulls == request, "probe": probe, "query": query, "key": key})


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the table to the heads page's stores."""
    _register_work(app, session, jobs)
    _register_browser_side(app)
    heads_help.register(app)

    @app.callback(
        Output("heads-table", "rowData"),
        Output("heads-table", "columnDefs"),
        *(Input(f"{name}-request", "data") for name in _JOBS),
        Input("heads-link", "data"),
    )
    def show_table(request: dict[str, Any] | None, nulls: Any, probed: Any, link: list[int] | None) -> Any:
        if request is None:
            return no_update, no_update
        try:
            record = compute(session, table_settings(request, nulls, probed, link))
        except ValueError:  # the two tokens are of a longer text that was there before
            return no_update, no_update
        return rows(record.columns), column_definitions(record.columns, record.link)


def _register_work(app: Dash, session: Session, jobs: Jobs) -> None:
    """The slow work: the measures, and what a button or an address requests."""

    def stack_of(request: dict[str, Any]) -> str:
        return session.capture(TextRequest.of(request)).stack(str(request["stack"]) or None).name

    def measure(text: dict[str, Any] | None, stack: str) -> Run | None:
        request = stack_request(session, text, stack)
        if request is None:
            return None
        return Run(request, lambda tell: measures_of(session, TextRequest.of(request), stack_of(request), tell))

    def shuffle(_clicks: Any, request: dict[str, Any] | None, opened: bool | None, job: Any) -> Run | None:
        if request is None or not _is_requested("heads-shuffle", opened, job):
            return None
        text, stack = TextRequest.of(request), stack_of(request)
        return Run(
            request,
            lambda tell: (best_offsets_of(session, text, stack, tell), null_scores_of(session, text, stack, tell)),
        )

    def probe(_clicks: Any, request: dict[str, Any] | None, opened: bool | None, job: Any) -> Run | None:
        if request is None or not _is_requested("heads-probe", opened, job):
            return None
        model = str(request["model"])
        return Run({"model": model}, lambda tell: induction_scores_of(session, model, tell))

    running.follow(app, jobs, "table", [Input("heads-request", "data"), Input("heads-stack", "value")], [], measure)
    for name, button, store, prepare in (
        ("nulls", "heads-shuffle", "heads-nulls", shuffle),
        ("probe", "heads-probe", "heads-probed", probe),
    ):
        inputs = [Input(button, "n_clicks"), Input("table-request", "data")]
        running.follow(app, jobs, name, inputs, [State(store, "data"), State(f"{name}-job", "data")], prepare)


def _is_requested(button: str, opened: bool | None, job: Any) -> bool:
    """Whether the button was pressed, or an address requests its columns and no job computes them yet."""
    return ctx.triggered_id == button or (bool(opened) and job is None)


def _register_browser_side(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("heads_heads", "pickRow"),
        Output("heads-layer", "value", allow_duplicate=True),
        Output("heads-head", "value", allow_duplicate=True),
        Input("heads-table", "cellClicked"),
    )
    app.clientside_callback(
        ClientsideFunction("heads_heads", "open"),
        Output("heads-sort", "data"),
        Output("heads-filter", "data"),
        Input("heads-table", "columnDefs"),
        State("heads-sort", "data"),
        State("heads-filter", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("heads_heads_filters", "report"),
        Output("heads-filtered-count", "children"),
        Output("heads-filtered", "className"),
        Input("heads-table", "virtualRowData"),
        Input("heads-table", "filterModel"),
        State("heads-table", "rowData"),
    )
    app.clientside_callback(
        ClientsideFunction("heads_heads_filters", "clear"),
        Output("heads-table", "filterModel"),
        Input("heads-filter-clear", "n_clicks"),
    )
