"""All heads as one picture: small maps, or one number each.

heads-request, heads-stack, heads-show, heads-link, heads-palette, theme ─> heads-overview, its caption
table-request (the measures, which may come later) ─> the same
a click (assets/heads-overview.js) ─> heads-layer, heads-head ─> the frame around the chosen head
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from explorer.analysis.measures import MEASURES
from explorer.figures.style import blank_figure
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.heads import link_panel as heads_link
from explorer.views.heads.facts import facts_of_heads
from explorer.views.heads.heads import panel as heads_table
from explorer.views.heads.measured import measures_of
from explorer.views.heads.overview import OverviewSettings
from explorer.views.heads.overview.compute import numbers_of, overview_of
from explorer.views.heads.overview.figure import measure_figure, overview_caption, overview_figure
from explorer.views.heads.page import LINK, MAPS
from explorer.views.panel import running
from explorer.views.panel.fields import choice
from explorer.views.panel.view_panel import fits_ranges


def layout() -> list[Any]:
    """The picture under its choices, its caption below."""
    caption = html.P(id="heads-overview-caption", className="caption")
    measured = dcc.Store(id="heads-overview-measured")  # the measures that the picture was drawn with
    return [_overview_head(), heads_link.layout(), _overview(), caption, measured]


def _overview_head() -> Any:
    return html.Header(
        [
            html.H2("All heads"),
            choice(
                "heads-show",
                {MAPS: "maps", LINK: "the link below", **{m.name: m.title for m in MEASURES.values()}},
                MAPS,
                190,
                "What the grid shows: each head's map, or a number",
            ),
            dmc.SegmentedControl(id="heads-stack", value="", data=[], size="xs", className="hidden"),
        ]
    )


def _overview() -> Any:
    return dcc.Graph(
        id="heads-overview",
        responsive=True,
        className="graph",
        figure=blank_figure("every head appears here"),
        config={"displayModeBar": False},
    )


def register(app: Dash, session: Session) -> None:
    """Wire the picture to what was run, and its clicks to the choice of a head."""
    app.clientside_callback(
        ClientsideFunction("heads_overview", "mark"),
        Output("heads-overview", "id"),
        Input("heads-layer", "value"),
        Input("heads-head", "value"),
        Input("heads-overview", "figure"),
    )

    fits_ranges(app, "heads-overview")
    shown = [
        ("heads-request", "data"),
        ("heads-stack", "value"),
        ("heads-show", "value"),
        ("heads-link", "data"),
        ("heads-palette", "value"),
        ("theme", "data"),
    ]

    # The maps do not wait for the measures, which may take seconds and are added once both are there.
    @app.callback(
        Output("heads-overview", "figure"),
        Output("heads-overview-caption", "children"),
        Output("heads-overview", "style"),
        Output("heads-overview-measured", "data"),
        *(Input(*field) for field in shown),
        State("table-request", "data"),
    )
    def show_overview(request: dict[str, Any] | None, stack: str, *others: Any) -> Any:
        if request is None:
            return (no_update,) * 4
        n_layers = overview_of(session, TextRequest(**request), stack).tiles.shape[0]
        # Room for each layer's row, whatever the table below would like to have.
        style = {"minHeight": f"{min(16 * n_layers + 70, 620)}px"}
        *fields, measured = others
        measured = measured if measured == heads_table.stack_request(session, request, stack) else None
        return *draw(request, stack, fields, measured), style, measured

    @app.callback(
        Output("heads-overview", "figure", allow_duplicate=True),
        Output("heads-overview-caption", "children", allow_duplicate=True),
        *(State(*field) for field in shown),
        Input("table-request", "data"),
        Input("heads-overview-measured", "data"),
    )
    def add_measures(request: dict[str, Any] | None, stack: str, *others: Any) -> Any:
        """The hover texts of the maps, or a measure in place of the maps."""
        *fields, measured, drawn_with = others
        if request is None or measured == drawn_with:
            return no_update, no_update
        if measured != heads_table.stack_request(session, request, stack):
            return no_update, no_update
        return draw(request, stack, fields, measured)

    def draw(request: dict[str, Any], stack: str, fields: list[Any], measured: Settings | None) -> tuple[Any, Any]:
        """The figure and its caption; ``measured`` are the settings of the measures, if they are there."""
        text, (show, link, palette, theme) = TextRequest(**request), fields
        try:
            overview, facts = overview_of(session, text, stack), None
            if measured is not None:
                query, key = map(str, link) if link is not None else ("", "")
                settings = OverviewSettings.of({**measured, "show": show, "query": query, "key": key})
                numbers = numbers_of(session, settings)
                if numbers is not None:
                    return measure_figure(numbers, theme, palette), ""
                facts = facts_of_heads(measures_of(session, text, overview.stack))
            return overview_figure(overview, theme, facts, palette), overview_caption(overview)
        except ValueError as error:
            return no_update, running.error_line(str(error))
