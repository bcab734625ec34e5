"""The table of heads: every measure a column, to sort and filter by, and what they mean.

heads-request, heads-stack ─> table-request ─> heads-table, the numbers a grid can show
shuffle, probe (buttons), heads-nulls, heads-probed (an address that was opened)
    ─> nulls-request, probe-request ─> more columns (heads_columns.py)
the columns, a click on a header or a filter (in the browser, assets/heads-heads.js)
    <─> heads-sort, heads-filter, as an address tells them
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

_STORES = ("heads-nulls", "heads-probed", "heads-sort", "heads-filter")


def layout() -> Any:
    """The table's components, for the panel with the picture of all heads."""
    return html.Div(
        [
            *(store for name in ("table", "nulls", "probe") for store in running.stores(name)),
            *(dcc.Store(id=name) for name in _STORES),
            html.Div(
                [
                    html.Button(
                        "Against shuffled tokens",
                        id="heads-shuffle",
                        className="save",
                        title="Every measure again on the same tokens in random order, 20 times: "
                        "z says how far the text's own score lies from those. And the fixed offset "
                        "that explains most of each head",
                    ),
                    html.Button(
                        "Induction probe",
                        id="heads-probe",
                        className="save",
                        title="Two copies of a random token sequence: what a head copies there it "
                        "copies without meaning to help (Olsson et al. 2022)",
                    ),
                    html.Button(
                        "Table as CSV",
                        id="heads-table-csv",
                        className="save",
                        title="Every head and every column there is, as `python -m explorer heads` "
                        "writes them; hidden heads as well",
                    ),
                    html.Button("Help", id="measures-open", className="save"),
                ],
                className="buttons",
            ),
            *(html.Div(id=f"{name}-message") for name in ("table", "nulls", "probe")),
            html.Div(
                [
                    html.Span(id="heads-filtered-count", role="status"),
                    html.Button(
                        "Clear filters",
                        id="heads-filter-clear",
                        className="save",
                        title="Show all heads again, in the table and in the pictures",
                    ),
                ],
                id="heads-filtered",
                className="buttons hidden",
            ),
            dag.AgGrid(
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
            ),
            heads_help.layout(),
        ],
        className="table",
    )


def rows(columns: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """The table's rows, each with the id by which the browser knows its head."""
    return [{"id": f"{row['layer']}.{row['head']}"} | row for row in head_rows(columns)]


def asked(session: Session, request: dict[str, Any] | None, stack: str) -> dict[str, Value] | None:
    """The stack of the text that is measured, as settings; None before any run."""
    if request is None:
        return None
    text = session.read_of(TextRequest.of(request))
    stacks = session.capture(text).stacks
    chosen = stack if stack in stacks else stacks[0]
    return {**text.as_dict(), "stack": chosen if len(stacks) > 1 else ""}


def measured(
    wanted: dict[str, Any], nulls: dict[str, Any] | None, probed: dict[str, Any] | None, link: list[int] | None
) -> HeadsSettings:
    """The settings of the table, of what was asked for so far.

    Args:
        wanted: the stack of the text, from ``asked``.
        nulls: the one whose tokens were shuffled last, if one was.
        probed: the model whose induction probe was asked for, if one was.
        link: the two tokens that were chosen, if they were.
    """
    query, key = map(str, link) if link is not None else ("", "")
    probe = probed is not None and probed["model"] == wanted["model"]
    return HeadsSettings.of({**wanted, "nulls": nulls == wanted, "probe": probe, "query": query, "key": key})


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the table to the heads page's stores."""
    _register_work(app, session, jobs)
    _register_browser_side(app)
    heads_help.register(app)
    given = [("table-request", "data"), ("nulls-request", "data"), ("probe-request", "data"), ("heads-link", "data")]

    @app.callback(
        Output("heads-table", "rowData"), Output("heads-table", "columnDefs"), *(Input(*one) for one in given)
    )
    def show_table(wanted: dict[str, Any] | None, nulls: Any, probed: Any, link: list[int] | None) -> Any:
        if wanted is None:
            return no_update, no_update
        try:
            record = compute(session, measured(wanted, nulls, probed, link))
        except ValueError:  # the two tokens are of a longer text that was there before
            return no_update, no_update
        return rows(record.columns), column_definitions(record.columns, record.link)


def _register_work(app: Dash, session: Session, jobs: Jobs) -> None:
    """What takes long: the measures, and what is asked for by a button or by an address."""

    def measure(request: dict[str, Any] | None, stack: str) -> Run | None:
        wanted = asked(session, request, stack)
        if wanted is None:
            return None
        return Run(wanted, lambda tell: measures_of(session, TextRequest.of(wanted), stack_of(wanted), tell))

    def stack_of(wanted: dict[str, Any]) -> str:
        return session.capture(TextRequest.of(wanted)).stack(str(wanted["stack"]) or None).name

    def shuffle(_clicks: Any, wanted: dict[str, Any] | None, opened: bool | None, job: Any) -> Run | None:
        if wanted is None or not _is_asked_for("heads-shuffle", opened, job):
            return None
        text, stack = TextRequest.of(wanted), stack_of(wanted)
        return Run(
            wanted,
            lambda tell: (best_offsets_of(session, text, stack, tell), null_scores_of(session, text, stack, tell)),
        )

    def probe(_clicks: Any, wanted: dict[str, Any] | None, opened: bool | None, job: Any) -> Run | None:
        if wanted is None or not _is_asked_for("heads-probe", opened, job):
            return None
        model = str(wanted["model"])
        return Run({"model": model}, lambda tell: induction_scores_of(session, model, tell))

    shown = [Input("heads-request", "data"), Input("heads-stack", "value")]
    running.follow(app, jobs, "table", shown, [], measure)
    for name, button, wish, work in (
        ("nulls", "heads-shuffle", "heads-nulls", shuffle),
        ("probe", "heads-probe", "heads-probed", probe),
    ):
        running.follow(
            app,
            jobs,
            name,
            [Input(button, "n_clicks"), Input("table-request", "data")],
            [State(wish, "data"), State(f"{name}-job", "data")],
            work,
        )


def _is_asked_for(button: str, opened: bool | None, job: Any) -> bool:
    """A button was pressed, or the page was opened with what it gives and that is not yet made."""
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
