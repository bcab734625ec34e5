"""Files that a page's own buttons save: the worksheet's page, and the table of heads as CSV."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from explorer.app.save_menu import download
from explorer.records import ModelError
from explorer.saving.save import Saving, file_name, saved
from explorer.saving.worksheet_page import worksheet_page
from explorer.session.session import Session
from explorer.views.heads import heads as heads_table
from explorer.views.heads.heads.panel import table_settings
from explorer.views.inside import worksheet
from explorer.views.panel.running import error_line


def register(app: Dash, session: Session) -> None:
    """Wire the buttons to ``app``."""
    _register_worksheet(app, session)
    _register_heads_table(app, session)


def _register_worksheet(app: Dash, session: Session) -> None:
    @app.callback(
        Output("download", "data", allow_duplicate=True),
        Output("inside-worksheet-message", "children", allow_duplicate=True),
        Input("inside-worksheet", "n_clicks"),
        Input("inside-worksheet-blank", "n_clicks"),
        State(worksheet.VIEW.state, "data"),
    )
    def save_page(filled: int | None, empty: int | None, values: dict[str, Any] | None) -> Any:
        if values is None or not (filled or empty):
            return no_update, no_update
        blank = ctx.triggered_id == "inside-worksheet-blank"
        try:
            view = worksheet.VIEW.make(session, worksheet.WorksheetSettings.of(values))
            content = worksheet_page(session, view, blank=blank)
        except (ValueError, ModelError) as error:
            return no_update, error_line(str(error))
        name = f"{view.stem}-worksheet{'-blank' if blank else ''}.html"
        return {"content": content, "filename": name, "type": "text/html", "base64": False}, None


def _register_heads_table(app: Dash, session: Session) -> None:
    @app.callback(
        Output("download", "data", allow_duplicate=True),
        Input("heads-table-csv", "n_clicks"),
        State("table-request", "data"),
        State("nulls-request", "data"),
        State("probe-request", "data"),
        State("heads-link", "data"),
    )
    def save_table(clicks: int | None, wanted: dict[str, Any] | None, *further: Any) -> Any:
        if not clicks or wanted is None:
            return no_update
        view = heads_table.VIEW.make(session, table_settings(wanted, *further))
        return download(saved(session, view, "csv"), file_name(view, "csv", Saving()), "csv")
