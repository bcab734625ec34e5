"""The table of heads: every measure a column, to sort and filter by, and what they mean.

heads-request, heads-stack ─> table-request ─> heads-table, the numbers a grid can show
shuffle, probe (buttons) ─> nulls-request, probe-request ─> more columns (heads_columns.py)
a click in a row (in the browser) ─> heads-layer, heads-head
a filter (in the browser, assets/filters.js) ─> heads-filtered; other heads fade in the pictures
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_ag_grid as dag
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from explorer.export.heads import measures_table
from explorer.jobs import Jobs
from explorer.measures import MEASURES
from explorer.pages import heads_help, running
from explorer.pages.heads_columns import LINK, PROBE, column_definitions
from explorer.pages.running import Run
from explorer.records import FloatArray
from explorer.session import Session, TextRequest
from explorer.views.overview import link_weights
from explorer.views.table import head_columns, head_rows, heads_table

MAPS = "maps"


def layout() -> Any:
    """The table's components, for the panel with the picture of all heads."""
    return html.Div(
        [
            *(store for name in ("table", "nulls", "probe") for store in running.stores(name)),
            html.Div(
                [
                    html.Button(
                        "Against shuffled tokens", id="heads-shuffle", className="save",
                        title="Every measure again on the same tokens in random order, 20 times: "
                        "z says how far the text's own score lies from those. And the fixed offset "
                        "that explains most of each head",
                    ),
                    html.Button(
                        "Induction probe", id="heads-probe", className="save",
                        title="Two copies of a random token sequence: what a head copies there it "
                        "copies without meaning to help (Olsson et al. 2022)",
                    ),
                    html.Button(
                        "Table as CSV", id="heads-table-csv", className="save",
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
                        "Clear filters", id="heads-filter-clear", className="save",
                        title="Show all heads again, in the table and in the pictures",
                    ),
                ],
                id="heads-filtered", className="buttons hidden",
            ),
            dag.AgGrid(
                id="heads-table",
                columnDefs=column_definitions(MEASURES),
                rowData=[],
                getRowId="params.data.id",
                defaultColDef={
                    "sortable": True, "filter": "agNumberColumnFilter", "resizable": True,
                    "width": 112, "wrapHeaderText": True, "autoHeaderHeight": True,
                    "sortingOrder": ["desc", "asc", None],
                },
                dashGridOptions={"rowHeight": 26, "tooltipShowDelay": 300, "animateRows": False},
            ),
            heads_help.layout(),
        ],
        className="table",
    )  # fmt: skip


def rows(columns: dict[str, FloatArray]) -> list[dict[str, Any]]:
    """The table's rows, each with the id by which the browser knows its head."""
    return [{"id": f"{row['layer']}.{row['head']}"} | row for row in head_rows(columns)]


def shown_numbers(
    session: Session, request: dict[str, Any], show: str, link: list[int] | None
) -> tuple[FloatArray, str, str] | None:
    """What the grid of heads shows instead of maps: values [L, H], their name and unit."""
    text, stack = TextRequest(**request["text"]), request["stack"]
    if show == LINK and link is not None:
        cap = session.capture(text)
        tokens = cap.stack(stack)
        name = f"{tokens.queries[link[0]]} → {tokens.keys[link[1]]}"
        return link_weights(cap, link[0], link[1], stack), name, "attention weight"
    if show in MEASURES:
        measure = MEASURES[show]
        return session.measures(text, stack)[show], measure.title, measure.unit
    return None


def table_columns(
    session: Session,
    request: dict[str, Any],
    nulled: bool,
    probed: dict[str, Any] | None,
    link: list[int] | None,
) -> tuple[dict[str, FloatArray], str]:
    """What the table holds, [L, H] by column, and the two linked tokens' name.

    Args:
        session: where it is taken from.
        request: which text and stack, from ``asked``.
        nulled: with what shuffled tokens and a fixed offset give.
        probed: the model whose induction probe was asked for, if one was.
        link: the two tokens that were chosen, if they were.
    """
    text, stack = TextRequest(**request["text"]), request["stack"]
    columns = head_columns(
        session.measures(text, stack),
        session.nulls(text, stack) if nulled else {},
        session.offsets(text, stack) if nulled else None,
    )
    name = ""
    if link is not None and (linked := shown_numbers(session, request, LINK, link)):
        columns[LINK], name = linked[0], linked[1]
    if probed and probed["model"] == text.model:
        scores = session.induction(text.model)
        if scores.shape == columns["entropy"].shape:
            columns[PROBE] = scores
    return columns, name


def asked(session: Session, request: dict[str, Any] | None, stack: str) -> dict[str, Any] | None:
    """Which stack of which text is measured, for the browser to keep; None before any run."""
    if request is None:
        return None
    stacks = session.capture(TextRequest(**request)).stacks
    return {"text": request, "stack": stack if stack in stacks else stacks[0]}


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the table to the heads page's stores."""

    def measure(request: dict[str, Any] | None, stack: str) -> Run | None:
        wanted = asked(session, request, stack)
        if wanted is None:
            return None
        text = TextRequest(**wanted["text"])
        return Run(wanted, lambda tell: session.measures(text, wanted["stack"], tell))

    def shuffle(_clicks: int | None, request: dict[str, Any] | None, stack: str) -> Run | None:
        wanted = asked(session, request, stack) if _clicks else None
        if wanted is None:
            return None
        text, name = TextRequest(**wanted["text"]), wanted["stack"]
        return Run(
            wanted,
            lambda tell: (session.offsets(text, name, tell), session.nulls(text, name, tell)),
        )

    def probe(_clicks: int | None, request: dict[str, Any] | None) -> Run | None:
        if not _clicks or request is None:
            return None
        model = request["model"]
        return Run({"model": model}, lambda tell: session.induction(model, tell))

    shown = [Input("heads-request", "data"), Input("heads-stack", "value")]
    running.follow(app, jobs, "table", shown, [], measure)
    running.follow(
        app, jobs, "nulls", [Input("heads-shuffle", "n_clicks")],
        [State("heads-request", "data"), State("heads-stack", "value")], shuffle,
    )  # fmt: skip
    running.follow(
        app, jobs, "probe", [Input("heads-probe", "n_clicks")], [State("heads-request", "data")],
        probe,
    )  # fmt: skip

    @app.callback(
        Output("heads-table", "rowData"),
        Output("heads-table", "columnDefs"),
        Input("table-request", "data"),
        Input("nulls-request", "data"),
        Input("probe-request", "data"),
        Input("heads-link", "data"),
    )
    def show_table(
        request: dict[str, Any] | None, nulls: Any, probed: Any, link: list[int] | None
    ) -> Any:
        if request is None:
            return no_update, no_update
        columns, link_name = table_columns(session, request, nulls == request, probed, link)
        return rows(columns), column_definitions(columns, link_name)

    @app.callback(
        Output("download", "data", allow_duplicate=True),
        Input("heads-table-csv", "n_clicks"),
        State("table-request", "data"),
        State("nulls-request", "data"),
        State("probe-request", "data"),
        State("heads-link", "data"),
    )
    def save_table(
        clicks: int | None, request: dict[str, Any] | None, nulls: Any, probed: Any,
        link: list[int] | None,
    ) -> Any:  # fmt: skip
        if not clicks or request is None:
            return no_update
        cap, stack = session.capture(TextRequest(**request["text"])), request["stack"]
        columns, _ = table_columns(session, request, nulls == request, probed, link)
        table = replace(heads_table(cap, {}, {}, stack), columns=columns)
        name = f"{cap.model_name.rstrip('/').rpartition('/')[2]}-{stack}-heads.csv"
        return {
            "content": measures_table(table).csv(),
            "filename": name,
            "type": "text/csv",
            "base64": False,
        }

    app.clientside_callback(
        ClientsideFunction("explorer", "pickRow"),
        Output("heads-layer", "value", allow_duplicate=True),
        Output("heads-head", "value", allow_duplicate=True),
        Input("heads-table", "cellClicked"),
    )
    app.clientside_callback(
        ClientsideFunction("filters", "tell"),
        Output("heads-filtered-count", "children"),
        Output("heads-filtered", "className"),
        Input("heads-table", "virtualRowData"),
        Input("heads-table", "filterModel"),
        State("heads-table", "rowData"),
    )
    app.clientside_callback(
        ClientsideFunction("filters", "clear"),
        Output("heads-table", "filterModel"),
        Input("heads-filter-clear", "n_clicks"),
    )
    heads_help.register(app)
