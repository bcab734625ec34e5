"""One query of a head by hand: a row a key, from q·k to what the key adds to the token.

inside-selection ─> inside-table, the steps, the message, what inside-worksheet-key offers
a clicked row (in the browser) ─> inside-worksheet-key
inside-selection, inside-worksheet-key, inside-worksheet-before, theme ─> inside-strips, its caption,
                                                         inside-worksheet-state (its state)
"""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError, QueryRow
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.worksheet import VIEW, WorksheetSettings
from explorer.views.inside.worksheet.compute import compute, key_of
from explorer.views.inside.worksheet.figure import strips_caption, strips_figure
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, labelled
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the query and its keys appear here"
_PAGED = 200  # keys; a longer table has pages
# Field, header, what it says, how it is written.
_COLUMNS = (
    ("label", "key", "The token that is looked at", None),
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
    return part(
        VIEW,
        html.Div(id="inside-worksheet-message"),
        html.Ol(id="inside-worksheet-steps", className="steps"),
        html.Div([_table(), _strips()], className="by-hand"),
    )


def _table() -> Any:
    return dag.AgGrid(
        id="inside-table",
        columnDefs=[],
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "flex": 1,
            "minWidth": 66,
            "sortingOrder": ["desc", "asc", None],
        },
        dashGridOptions=_grid_options([], 0),
    )


def _strips() -> Any:
    return html.Div(
        [
            html.Div(
                [
                    labelled(
                        "key",
                        "Whose vectors are drawn with the query’s; a row of the table chooses its key",
                        dmc.Select(
                            id="inside-worksheet-key",
                            value=None,
                            data=[],
                            size="xs",
                            w=150,
                            clearable=True,
                            searchable=True,
                            limit=200,
                            placeholder="the heaviest",
                            nothingFoundMessage="no such token",
                        ),
                    ),
                    dmc.Switch(
                        id="inside-worksheet-before",
                        label="before rotation",
                        size="xs",
                        checked=False,
                        className="hidden",
                    ),
                    html.Button(
                        "Worksheet",
                        id="inside-worksheet",
                        className="save",
                        title="This row as a page to print, with its answers",
                    ),
                    html.Button(
                        "Worksheet to fill in",
                        id="inside-worksheet-blank",
                        className="save",
                        title="The same with empty boxes, and the answers on its last page",
                    ),
                ],
                className="controls",
            ),
            dcc.Graph(
                id="inside-strips", responsive=True, className="graph", config=STILL, figure=blank_figure(_MESSAGE)
            ),
            html.P(id="inside-worksheet-caption", className="caption"),
        ],
        className="strips",
    )


def _grid_options(last: list[dict[str, Any]], count: int) -> dict[str, Any]:
    return {
        "rowHeight": 26,
        "headerHeight": 30,
        "tooltipShowDelay": 300,
        "animateRows": False,
        "pinnedBottomRowData": last,
        "pagination": count > _PAGED,
        "paginationPageSize": 100,
        "rowClassRules": {"forbidden": "params.data.forbidden"},
    }


def table_rows(row: QueryRow) -> list[dict[str, Any]]:
    """A row a key, in the text's order; what the mask forbids has no score and no weight."""
    found = []
    scaled, cap = row.products * row.parts.scale, row.parts.softcap
    for key, label in enumerate(row.labels):
        allowed = bool(row.parts.allowed[key])
        found.append(
            {
                "id": str(key),
                "label": label if allowed else f"{label} (masked)",
                "forbidden": not allowed,
                "product": float(row.products[key]),
                "scaled": float(scaled[key]),
                "capped": None if cap is None else float(cap * np.tanh(scaled[key] / cap)),
                "bias": None if row.parts.bias is None else float(row.parts.bias[key]),
                "score": float(row.scaled[key]) if allowed else None,
                "exponential": float(row.exponentials[key]) if allowed else None,
                "weight": float(row.weights[key]) if allowed else None,
                "value_length": float(row.value_lengths[key]),
                "contribution": float(row.contributions[key]) if allowed else None,
            }
        )
    return found


def total_row(row: QueryRow) -> dict[str, Any]:
    """What the columns add up to, a learned sink included; the last is the sum's own length."""
    return {
        "id": "sum",
        "label": "the sum",
        "exponential": float(np.nansum(row.exponentials)) + row.sink_exponential,
        "weight": float(row.weights.sum()),
        "contribution": float(np.linalg.norm(row.added)),
    }


def columns_of(row: QueryRow) -> list[dict[str, Any]]:
    """The table's columns; a bias or a soft cap has one only where the model has it."""
    left_out = {*(["bias"] if row.parts.bias is None else []), *(["capped"] if row.parts.softcap is None else [])}
    return [
        {"field": field, "headerName": name, "headerTooltip": why}
        | (
            {"valueFormatter": {"function": _formatted(field, form)}, "type": "rightAligned"}
            if form
            else {"flex": 2, "minWidth": 90, "tooltipField": field}
        )
        for field, name, why, form in _COLUMNS
        if field not in left_out
    ]


def _formatted(field: str, form: str) -> str:
    """How the grid writes a column's numbers, and what where there is none."""
    none = "params.data.forbidden ? '−∞' : '–'" if field == "score" else "'–'"
    return f"params.value == null ? ({none}) : d3.format('{form}')(params.value)"


def steps(row: QueryRow) -> list[str]:
    """What is done in this head, in order, with its numbers."""
    parts, d = row.parts, row.d_head
    root = f" = 1/√{d}" if abs(parts.scale - d**-0.5) < 1e-6 else ""
    said = [f"q·k: the query of “{row.query_label}” times each key, {d} dimensions", f"× {parts.scale:.4g}{root}"]
    if row.kv_head != row.head:
        said[0] += f" (keys and values of key/value head {row.kv_head})"
    if row.q_before is not None:
        said[0] += ", both turned by their positions"
    if parts.softcap is not None:
        said.append(f"soft-capped: {parts.softcap:g}·tanh(score/{parts.softcap:g})")
    if parts.bias is not None:
        said.append("+ bias by position")
    forbidden = int((~parts.allowed).sum())
    said.append(f"mask: {forbidden} of {len(row.labels)} keys forbidden" if forbidden else "mask: none forbidden")
    total = total_row(row)["exponential"]
    sink = "" if parts.sink is None else ", a learned sink among them"
    said.append(f"eˣ over their sum {total:.4g}{sink}: the weights")
    said.append(f"Σ weight·v·W_O: this head adds a vector of length {np.linalg.norm(row.added):.3g}")
    said.append(f"check: at most {row.error:.0e} from the captured attention")
    return said


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
            line = running.error_line(str(error))
            return [], [], _grid_options([], 0), [], line, "hidden", [], no_update
        keys = [{"value": str(place), "label": label} for place, label in enumerate(row.labels)]
        return (
            table_rows(row),
            columns_of(row),
            _grid_options([total_row(row)], len(row.labels)),
            [html.Li(step) for step in steps(row)],
            None,
            "" if row.q_before is not None else "hidden",
            keys,
            # A key that another text had.
            no_update if key is None or possible(row, key) else None,
        )


def possible(row: QueryRow, key: str) -> bool:
    """Whether the row has a key of this number."""
    return key.isdecimal() and int(key) < len(row.labels)


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
        # A key that another text had is none of this one's.
        settings = WorksheetSettings.of(
            {**selection, "key": key if key and possible(row, key) else "", "before": before}
        )
        place, rotated = key_of(row, settings.key), before and row.q_before is not None
        return Drawing([strips_figure(row, place, rotated, theme)], settings, [strips_caption(row, place, rotated)])
