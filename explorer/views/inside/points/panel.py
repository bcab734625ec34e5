"""Queries and keys of a head as points in one plane, on the Inside page.

inside-selection, the fields ─> inside-points-job (texts are read) ─> inside-points-request, theme
    ─> inside-points-graph, caption, inside-points-state
a clicked query (in the browser) ─> inside-query
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, html

from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.inside.points import MAX_TEXTS, VIEW, PointsSettings
from explorer.views.inside.points.compute import compute, texts_of
from explorer.views.inside.points.figure import points_caption, points_figure
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE, graph, labelled, number, segments
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the head’s queries and keys appear here"


def layout() -> Any:
    """The view's components."""
    return part(
        VIEW,
        *running.stores("inside-points"),
        html.Div(_controls(), className="controls"),
        html.Div(id="inside-points-message", role="status"),
        graph("inside-points-graph", _MESSAGE, ZOOMABLE),
        html.P(id="inside-points-caption", className="caption"),
    )


def _controls() -> list[Any]:
    ropes = {"after": "after rotation", "before": "before"}
    places = {"false": "where they are", "true": "moved to the queries"}
    limits = {"min": 0, "max": 1, "step": 0.05, "decimalScale": 3, "clampBehavior": "strict"}
    least = number("inside-points-least", PointsSettings.least, 76, **limits)
    rows = {"autosize": True, "minRows": 1, "maxRows": MAX_TEXTS - 1, "placeholder": "one text per line"}
    texts = dmc.Textarea(id="inside-points-texts", value="", debounce=True, size="xs", className="grows", **rows)
    help_of = PointsSettings.help_of
    return [
        labelled("vectors", help_of("rope"), segments("inside-points-rope", "after", ropes)),
        labelled("keys", help_of("align"), segments("inside-points-align", "false", places)),
        labelled("lines from weight", help_of("least"), least),
        labelled("more texts", help_of("texts"), texts, "selector grows"),
    ]


def settings_of(
    selection: dict[str, Any], rope: str, align: str, least: Any, first: bool, texts: str | None
) -> PointsSettings:
    """The settings on the screen: those that all views share, and the fields of this one."""
    own = {"rope": rope, "align": align == "true", "first": bool(first), "texts": texts or ""}
    smallest = float(least) if isinstance(least, int | float) else PointsSettings.least
    return PointsSettings.of({**selection, **own, "least": smallest}).check()


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
        texts_of(settings)  # refuses too many texts at once
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
            *(Input(f"inside-points-{name}", "value") for name in ("rope", "align", "least")),
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
