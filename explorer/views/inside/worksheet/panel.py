"""One query's row step by step, on the Inside page: one table row per key, from q·k to its contribution.

inside-selection ─> inside-table, the steps, the message, the options of inside-worksheet-key
a clicked row (in the browser) ─> inside-worksheet-key
inside-selection, inside-worksheet-key, inside-worksheet-before, theme ─> inside-strips, its caption,
                                                         inside-worksheet-state
"""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from explorer.figures.figure_style import FigureStyle
from explorer.records import ModelError, QueryRow
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.worksheet import VIEW, WorksheetSettings
from explorer.views.inside.worksheet.compute import compute, has_key
from explorer.views.inside.worksheet.figure import FIGURES
from explorer.views.panel import running
from explorer.views.panel.fields import graph, labelled, options_of, select
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the query and its keys appear here"
_PAGED = 200  # keys; a longer table has pages
# Field, header, tooltip, number format.
_COLUMNS = (
    ("label", "key", "The token that is attended to", None),
    ("product", "q·k", "Dot product of the query’s and the key’s vectors", ".2f"),
    ("scaled", "scaled", "q·k times the scale", ".3f"),
    ("capped", "capped", "The scaled score through the model’s soft cap", ".3f"),
    ("bias", "+ bias", "What the model adds to the score by position", ".3f"),
    ("score", "+ mask", "What goes into the softmax: −∞ where the mask forbids the key", ".3f"),
    ("exponential", "eˣ", "e to the power of scaled, less the largest one", ".4f"),
    ("weight", "weight", "eˣ over the sum of all: the attention weight A", ".4f"),
    ("value_length", "‖v‖", "Length of the key’s value vector", ".3~r"),
    ("contribution", "‖A·v·W_O‖", "Length of what it adds to the residual stream", ".3~r"),
)


def layout() -> Any:
    """The view's components."""
    columns = {"sortable": True, "resizable": True, "flex": 1, "minWidth": 66, "sortingOrder": ["desc", "asc", None]}
    table = dag.AgGrid(
        id="inside-table",
        columnDefs=[],
        rowData=[],
        getRowId="params.data.id",
        defaultColDef=columns,
        dashGridOptions=_grid_options([], 0),
    )
    strips = [
        html.Div(_controls(), className="controls"),
        graph("inside-strips", _MESSAGE),
        html.P(id="inside-worksheet-caption", className="caption"),
    ]
    return part(
        VIEW,
        html.Div(id="inside-worksheet-message"),
        html.Ol(id="inside-worksheet-steps", className="steps"),
        html.Div([table, html.Div(strips, className="strips")], className="by-hand"),
    )


def _controls() -> list[Any]:
    options: Any = {"searchable": True, "limit": 200, "nothingFoundMessage": "no such token"}
    empty: Any = {"allowDeselect": True, "clearable": True, "placeholder": "the heaviest"}
    key = select("inside-worksheet-key", None, 150, **options, **empty)
    why = "The key whose vectors are drawn with the query’s; click a row of the table to choose its key"
    before = dmc.Switch(
        id="inside-worksheet-before", label="before rotation", size="xs", checked=False, className="hidden"
    )
    printable = "This row as a page to print, with its answers"
    blank = "The same with empty boxes, and the answers on its last page"
    return [
        labelled("key", why, key),
        before,
        html.Button("Worksheet", id="inside-worksheet", className="save", title=printable),
        html.Button("Worksheet to fill in", id="inside-worksheet-blank", className="save", title=blank),
    ]


def _grid_options(pinned: list[dict[str, Any]], n_keys: int) -> dict[str, Any]:
    return {
        "rowHeight": 26,
        "headerHeight": 30,
        "tooltipShowDelay": 300,
        "animateRows": False,
        "pinnedBottomRowData": pinned,
        "pagination": n_keys > _PAGED,
        "paginationPageSize": 100,
        "rowClassRules": {"forbidden": "params.data.forbidden"},
    }


def table_rows(row: QueryRow) -> list[dict[str, Any]]:
    """One row per key, in the text's order; a key that the mask forbids has no score and no weight."""
    parts = row.parts
    scaled = row.products * parts.scale
    columns = {
        "product": row.products,
        "scaled": scaled,
        "capped": None if parts.softcap is None else parts.softcap * np.tanh(scaled / parts.softcap),
        "bias": parts.bias,
        "score": row.scaled,
        "exponential": row.exponentials,
        "weight": row.weights,
        "value_length": row.value_lengths,
        "contribution": row.contributions,
    }
    of_allowed = ("score", "exponential", "weight", "contribution")
    return [
        {"id": str(key), "label": label if allowed else f"{label} (masked)", "forbidden": not allowed}
        | {
            name: None if values is None or (name in of_allowed and not allowed) else float(values[key])
            for name, values in columns.items()
        }
        for key, (label, allowed) in enumerate(zip(row.labels, parts.allowed.tolist(), strict=True))
    ]


def total_row(row: QueryRow) -> dict[str, Any]:
    """The sums of the columns, with a learned sink; the contribution is the length of the summed vectors."""
    return {
        "id": "sum",
        "label": "the sum",
        "exponential": float(np.nansum(row.exponentials)) + row.sink_exponential,
        "weight": float(row.weights.sum()),
        "contribution": float(np.linalg.norm(row.added)),
    }


def columns_of(row: QueryRow) -> list[dict[str, Any]]:
    """The table's columns; bias and soft cap only where the model has them."""
    omitted = {*(["bias"] if row.parts.bias is None else []), *(["capped"] if row.parts.softcap is None else [])}
    return [
        {"field": field, "headerName": name, "headerTooltip": why}
        | (
            {"valueFormatter": {"function": _formatted(field, form)}, "type": "rightAligned"}
            if form
            else {"flex": 2, "minWidth": 90, "tooltipField": field}
        )
        for field, name, why, form in _COLUMNS
        if field not in omitted
    ]


def _formatted(field: str, form: str) -> str:
    """The grid's format of a column's numbers, and of missing ones."""
    none = "params.data.forbidden ? '−∞' : '–'" if field == "score" else "'–'"
    return f"params.value == null ? ({none}) : d3.format('{form}')(params.value)"


def steps(row: QueryRow) -> list[str]:
    """What this head computes, in order, with its numbers."""
    parts, d = row.parts, row.d_head
    owner = f" (keys and values of key/value head {row.kv_head})" if row.kv_head != row.head else ""
    rotated = ", both rotated by their positions" if row.q_before is not None else ""
    root = f" = 1/√{d}" if abs(parts.scale - d**-0.5) < 1e-6 else ""
    lines = [
        f"q·k: the query of “{row.query_label}” times each key, {d} dimensions{owner}{rotated}",
        f"× {parts.scale:.4g}{root}",
    ]
    if parts.softcap is not None:
        lines.append(f"soft-capped: {parts.softcap:g}·tanh(score/{parts.softcap:g})")
    if parts.bias is not None:
        lines.append("+ bias by position")
    forbidden = int((~parts.allowed).sum())
    sink = "" if parts.sink is None else ", a learned sink among them"
    return [
        *lines,
        f"mask: {forbidden} of {len(row.labels)} keys forbidden" if forbidden else "mask: none forbidden",
        f"eˣ over their sum {total_row(row)['exponential']:.4g}{sink}: the weights",
        f"Σ weight·v·W_O: this head adds a vector of length {np.linalg.norm(row.added):.3g}",
        f"check: at most {row.error:.0e} from the captured attention",
    ]


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    _register_table(app, session)
    _register_strips(app, session)


def _register_table(app: Dash, session: Session) -> None:
    app.clientside_callback(
        ClientsideFunction("inside_worksheet", "pickKey"),
        Output("inside-worksheet-key", "value", allow_duplicate=True),
        Input("inside-table", "cellClicked"),
    )

    @app.callback(
        Output("inside-table", "rowData"),
        Output("inside-table", "columnDefs"),
        Output("inside-table", "dashGridOptions"),
        Output("inside-worksheet-steps", "children"),
        Output("inside-worksheet-message", "children"),
        Output("inside-worksheet-before", "className"),
        Output("inside-worksheet-key", "data"),
        Output("inside-worksheet-key", "value"),
        Input("inside-mode", "value"),
        Input("inside-selection", "data"),
        State("inside-worksheet-key", "value"),
    )
    def show_row(mode: str, selection: dict[str, Any] | None, key: str | None) -> Any:
        if selection is None or mode != VIEW.name:
            return (no_update,) * 8
        try:
            row = compute(session, WorksheetSettings.of(selection))
        except (ValueError, ModelError) as error:
            return [], [], _grid_options([], 0), [], running.error_line(str(error)), "hidden", [], no_update
        return (
            table_rows(row),
            columns_of(row),
            _grid_options([total_row(row)], len(row.labels)),
            [html.Li(step) for step in steps(row)],
            None,
            "" if row.q_before is not None else "hidden",
            options_of({str(number): label for number, label in enumerate(row.labels)}),
            no_update if key is None or has_key(row, key) else None,
        )


def _register_strips(app: Dash, session: Session) -> None:
    @draws(
        app,
        VIEW,
        ["inside-strips"],
        [
            Input("inside-selection", "data"),
            Input("inside-worksheet-key", "value"),
            Input("inside-worksheet-before", "checked"),
            Input("theme", "data"),
        ],
        [Output("inside-worksheet-caption", "children")],
        _MESSAGE,
    )
    def draw_strips(selection: dict[str, Any] | None, key: str | None, before: bool, theme: str) -> Drawing | None:
        if selection is None:
            return None
        row = compute(session, WorksheetSettings.of(selection))
        key = key if key and has_key(row, key) else ""  # it may be one of another text
        settings = WorksheetSettings.of({**selection, "key": key, "before": before})
        strips = FIGURES["strips"](row, settings, FigureStyle(theme=theme))
        return Drawing([strips.figure], settings, [strips.caption])
