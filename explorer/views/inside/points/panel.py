"""Queries and keys of a head as points in one plane, on the Inside page.

inside-selection, -when, -texts ─> inside-points-job ─> inside-points-request, what is read by now,
                                                   and the line that tells how far it is
that, inside-selection, the fields, theme ─> inside-points-graph, caption, remark,
                                        inside-points-state (its state)
a clicked query (in the browser) ─> inside-query

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs, Tell
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.inside.head_maps import head_maps_of
from explorer.views.inside.points import view as points
from explorer.views.inside.points.figure import TEXTS, points_caption, points_figure
from explorer.views.panel import running
from explorer.views.panel.fields import ZOOMABLE, labelled
from explorer.views.panel.running import Run
from explorer.views.state import head_of

MODE = "points"
ADDRESS = {name: f"inside-points-{name}" for name in ("when", "keys", "least", "texts")}
_MESSAGE = "the head’s queries and keys appear here"
# What of a state says what is to be read before it can be drawn.
_READ = ("model", "text", "pair", "target", "truncate", "stack", "when", "texts")


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="inside-points-state"),
            *running.stores("inside-points"),
            _controls(),
            html.Div(id="inside-points-message", role="status"),
            html.Div(id="inside-points-remark", role="status"),
            dcc.Graph(
                id="inside-points-graph",
                config=ZOOMABLE,
                responsive=True,
                className="graph",
                figure=blank_figure(_MESSAGE),
            ),
            html.P(id="inside-points-caption", className="caption"),
        ],
        id="inside-points-part",
        className="part hidden",
    )


def _controls() -> Any:
    return html.Div(
        [
            labelled(
                "vectors",
                "The scores are made of queries and keys after rotation; before it, position is not yet in them",
                dmc.SegmentedControl(
                    id="inside-points-when",
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
                    id="inside-points-keys",
                    value="own",
                    size="xs",
                    data=[
                        {"value": "own", "label": "where they are"},
                        {"value": "met", "label": "moved to the queries"},
                    ],
                ),
            ),
            labelled(
                "lines from weight",
                "The least attention weight that is drawn as a line",
                dmc.NumberInput(
                    id="inside-points-least",
                    value=points.LEAST,
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
                        maxRows=TEXTS - 1,
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


def state_of(view: dict[str, Any], when: str, keys: str, least: Any, first: bool, texts: str | None) -> Settings:
    """The state of the screen: what all views share, with the fields of this one."""
    return (
        points.DEFAULTS
        | view
        | {
            "when": when,
            "keys": keys,
            "first": first,
            "texts": texts or "",
            "least": float(least) if isinstance(least, int | float) else points.LEAST,
        }
    )


def reading(state: Settings) -> dict[str, Any]:
    """What is to be read before a state can be drawn."""
    return {name: state[name] for name in _READ}


def read(session: Session, state: Settings, tell: Tell) -> None:
    """Read all texts of a state, telling which one is being read.

    Raises:
        ValueError: an unreadable text.
        ModelError: the model cannot be loaded or failed.
    """
    requests = points.texts_of(state)
    for number, request in enumerate(requests):
        tell(f"reading text {number + 1} of {len(requests)}", number / len(requests))
        session.capture(request)
        if state["when"] == "before":
            try:
                head_maps_of(session, request, *head_of(state))
            except ModelError:  # told where the points would be
                return


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("moves", "pickQuery"),
        Output("inside-query", "value", allow_duplicate=True),
        Input("inside-points-graph", "clickData"),
    )
    _register_reading(app, session, jobs)

    @app.callback(
        Output("inside-points-graph", "figure"),
        Output("inside-points-caption", "children"),
        Output("inside-points-remark", "children"),
        Output("inside-points-state", "data"),
        Input("inside-selection", "data"),
        Input("inside-points-request", "data"),
        Input("inside-points-when", "value"),
        Input("inside-points-keys", "value"),
        Input("inside-points-least", "value"),
        Input("inside-first", "checked"),
        Input("inside-points-texts", "value"),
        Input("theme", "data"),
    )
    def show_points(view: dict[str, Any] | None, ready: dict[str, Any] | None, *fields: Any) -> Any:
        if view is None or view["mode"] != MODE:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "inside-selection"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 3
        *chosen, theme = fields
        state = state_of(view, *chosen)
        if reading(state) != ready:
            return (no_update,) * 4
        try:
            shown, remarks = points.drawn(session, state)
        except (ValueError, ModelError) as error:
            return blank_figure(_MESSAGE), "", running.error_line(str(error)), None
        return (points_figure(shown, theme), points_caption(shown), running.remark_line(remarks), state)


def _register_reading(app: Dash, session: Session, jobs: Jobs) -> None:
    """Read further texts in the background; nothing for what is read already."""

    def prepare(
        view: dict[str, Any] | None,
        when: str,
        texts: str | None,
        asked: dict[str, Any] | None,
        ready: dict[str, Any] | None,
    ) -> Run | None:
        if view is None or view["mode"] != MODE:
            return None
        state = points.DEFAULTS | view | {"when": when, "texts": texts or ""}
        points.texts_of(state)
        wanted = reading(state)
        if asked and asked.get("request") == wanted == ready:
            return None
        return Run(wanted, lambda tell: read(session, state, tell))

    running.follow(
        app,
        jobs,
        "inside-points",
        [
            Input("inside-selection", "data"),
            Input("inside-points-when", "value"),
            Input("inside-points-texts", "value"),
        ],
        [State("inside-points-job", "data"), State("inside-points-request", "data")],
        prepare,
    )
