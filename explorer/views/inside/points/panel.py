"""Queries and keys of a head as points in one plane, on the Inside page.

inside-selection, the fields ─> inside-points-job (texts are read) ─> inside-points-request, theme
    ─> inside-points-graph, caption, inside-points-state
a clicked query (in the browser) ─> inside-query
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from explorer.figures.style import blank_figure
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.points import MAX_TEXTS, VIEW, PointsSettings
from explorer.views.inside.points.compute import compute, texts_of
from explorer.views.inside.points.figure import points_caption, points_figure
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE, labelled
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the head’s queries and keys appear here"


def layout() -> Any:
    """The view's components."""
    return part(
        VIEW,
        *running.stores("inside-points"),
        _controls(),
        html.Div(id="inside-points-message", role="status"),
        dcc.Graph(
            id="inside-points-graph",
            config=ZOOMABLE,
            responsive=True,
            className="graph",
            figure=blank_figure(_MESSAGE),
        ),
        html.P(id="inside-points-caption", className="caption"),
    )


def _controls() -> Any:
    return html.Div(
        [
            labelled(
                "vectors",
                "The scores are made of queries and keys after rotation; before it, position is not yet in them",
                dmc.SegmentedControl(
                    id="inside-points-rope",
                    value="after",
                    size="xs",
                    data=[{"value": "after", "label": "after rotation"}, {"value": "before", "label": "before"}],
                ),
            ),
            labelled(
                "keys",
                "One vector added to all keys changes no weight: the softmax takes it out "
                "again. So the keys can be brought to where the queries are",
                dmc.SegmentedControl(
                    id="inside-points-align",
                    value="false",
                    size="xs",
                    data=[
                        {"value": "false", "label": "where they are"},
                        {"value": "true", "label": "moved to the queries"},
                    ],
                ),
            ),
            labelled(
                "lines from weight",
                "The least attention weight that is drawn as a line",
                dmc.NumberInput(
                    id="inside-points-least",
                    value=PointsSettings.least,
                    min=0,
                    max=1,
                    step=0.05,
                    decimalScale=3,
                    clampBehavior="strict",
                    size="xs",
                    w=76,
                    debounce=150,
                ),
            ),
            html.Label(
                [
                    "more texts",
                    dmc.Textarea(
                        id="inside-points-texts",
                        value="",
                        debounce=True,
                        autosize=True,
                        minRows=1,
                        maxRows=MAX_TEXTS - 1,
                        size="xs",
                        placeholder="a text a line",
                        className="grows",
                    ),
                ],
                title="Further texts, a line each: their queries and keys in the same plane",
                className="selector grows",
            ),
        ],
        className="controls",
    )


def settings_of(
    selection: dict[str, Any], rope: str, align: str, least: Any, first: bool, texts: str | None
) -> PointsSettings:
    """The settings on the screen: those that all views share, with the fields of this one."""
    own = {"rope": rope, "align": align == "true", "first": bool(first), "texts": texts or ""}
    number = float(least) if isinstance(least, int | float) else PointsSettings.least
    return PointsSettings.of({**selection, **own, "least": number}).check()


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("inside_points", "pickQuery"),
        Output("inside-query", "value", allow_duplicate=True),
        Input("inside-points-graph", "clickData"),
    )

    def prepare(mode: str, selection: dict[str, Any] | None, *fields: Any) -> Run | None:
        *typed, job = fields
        if selection is None or mode != VIEW.name:
            return None
        settings = settings_of(selection, *typed)
        texts_of(settings)  # too many are refused at once
        if job and job.get("request") == settings.as_dict():  # back from another view
            return None
        return Run(settings.as_dict(), lambda progress: compute(session, settings, progress))

    running.follow(
        app,
        jobs,
        "inside-points",
        [
            Input("inside-mode", "value"),
            Input("inside-selection", "data"),
            Input("inside-points-rope", "value"),
            Input("inside-points-align", "value"),
            Input("inside-points-least", "value"),
            Input("inside-first", "checked"),
            Input("inside-points-texts", "value"),
        ],
        [State("inside-points-job", "data")],
        prepare,
    )

    @draws(
        app,
        VIEW,
        ["inside-points-graph"],
        [Input("inside-points-request", "data"), Input("theme", "data")],
        [Output("inside-points-caption", "children")],
        _MESSAGE,
    )
    def draw_points(request: dict[str, Any] | None, theme: str) -> Drawing | None:
        if request is None:
            return None
        settings = PointsSettings.of(request)
        record = compute(session, settings)
        return Drawing([points_figure(record, theme)], settings, [points_caption(record)], record.remarks)
