"""Queries and keys of a head as points in one plane, on the Inside page.

inside-view, the fields, theme ─> inside-points-graph, caption, message,
                                  inside-points-view (what is saved)
a clicked query (in the browser) ─> inside-query

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.query_key_points import TEXTS, points_caption, points_figure
from explorer.figures.style import blank_figure, model_stem
from explorer.pages import running
from explorer.pages.fields import ZOOMABLE, labelled
from explorer.records import ModelError, QueryKeyPoints
from explorer.session import Session, TextRequest
from explorer.views.query_key_points import PointSwitches, points_table, query_key_points

MODE, LABEL = "points", "q and k as points"
_MESSAGE = "the head’s queries and keys appear here"
_LEAST = 0.2


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="inside-points-view"),
            _controls(),
            html.Div(id="inside-points-message", role="status"),
            dcc.Graph(
                id="inside-points-graph", config=ZOOMABLE, responsive=True,
                className="graph", figure=blank_figure(_MESSAGE),
            ),
            html.P(id="inside-points-caption", className="caption"),
        ],
        id="inside-points",
        className="part hidden",
    )  # fmt: skip


def _controls() -> Any:
    return html.Div(
        [
            labelled(
                "vectors", "The scores are made of queries and keys after rotation; before it, "
                "position is not yet in them",
                dmc.SegmentedControl(
                    id="inside-points-when", value="after", size="xs",
                    data=[{"value": "after", "label": "after rotation"},
                          {"value": "before", "label": "before"}],
                ),
            ),
            labelled(
                "keys", "One vector added to all keys changes no weight: the softmax takes it out "
                "again. So the keys can be brought to where the queries are",
                dmc.SegmentedControl(
                    id="inside-points-keys", value="own", size="xs",
                    data=[{"value": "own", "label": "where they are"},
                          {"value": "met", "label": "moved to the queries"}],
                ),
            ),
            labelled(
                "lines from weight", "The least attention weight that is drawn as a line",
                dmc.NumberInput(
                    id="inside-points-least", value=_LEAST, min=0, max=1, step=0.05,
                    decimalScale=3, clampBehavior="strict", size="xs", w=76, debounce=150,
                ),
            ),
            html.Span(
                dmc.Switch(id="inside-points-first", label="first token", checked=True, size="xs"),
                title="In many models the first token’s vectors lie far from all others and "
                "take an axis for themselves: leave it out",
            ),
            html.Label(
                ["more texts", dmc.Textarea(
                    id="inside-points-texts", value="", debounce=True, autosize=True, minRows=1,
                    maxRows=TEXTS - 1, size="xs", placeholder="a text a line", className="grows",
                )],
                title="Further texts, a line each: their queries and keys in the same plane",
                className="selector grows",
            ),
        ],
        className="controls",
    )  # fmt: skip


def view_of(
    view: dict[str, Any], when: str, keys: str, least: Any, first: bool, texts: str | None
) -> dict[str, Any]:
    """What is on the screen: the page's ``inside-view`` with the fields of this one."""
    return view | {
        "before": when == "before",
        "met": keys == "met",
        "drop_first": not first,
        "least": float(least) if isinstance(least, int | float) else _LEAST,
        "texts": [line.strip() for line in (texts or "").splitlines() if line.strip()],
    }


def shown_points(session: Session, view: dict[str, Any]) -> tuple[QueryKeyPoints, list[str]]:
    """The points on the screen, out of ``inside-points-view``, and what is to be remarked.

    Raises:
        ValueError: a layer, head or stack there is not, too many texts, or an unreadable one.
        ModelError: the model failed, was captured eagerly, or how it makes queries and keys is
            not known.
    """
    if len(view["texts"]) >= TEXTS:
        raise ValueError(
            f"{len(view['texts'])} further texts are too many: give at most {TEXTS - 1}, one a line"
        )
    asked = TextRequest(**view["request"])
    requests = [asked, *(replace(asked, text=text, pair=None, target=None)
                         for text in view["texts"])]  # fmt: skip
    place = view["stack"] or None, view["layer"], view["head"]
    caps = [session.capture(request) for request in requests]
    maps = [session.head_maps(request, *place) for request in requests] if view["before"] else []
    before = any(one.rotated for one in maps)
    switches = PointSwitches(before, view["met"], view["drop_first"], view["least"])
    shown = query_key_points(
        caps, view["layer"], view["head"], view["query"], place[0], maps, switches
    )
    same = "this model rotates no queries and keys: there is no before"
    return shown, [same] if view["before"] and not before else []


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of the points on the screen, from ``inside-points-view``."""
    shown, _ = shown_points(session, view)
    model = model_stem(shown.model)
    when = "-before-rotation" if shown.before else ""
    name = f"{model}-{shown.stack}-layer{shown.layer}-head{shown.head}-points{when}.csv"
    return name, points_table(shown).csv()


def register(app: Dash, session: Session) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("moves", "pickQuery"),
        Output("inside-query", "value", allow_duplicate=True),
        Input("inside-points-graph", "clickData"),
    )

    @app.callback(
        Output("inside-points-graph", "figure"),
        Output("inside-points-caption", "children"),
        Output("inside-points-message", "children"),
        Output("inside-points-view", "data"),
        Input("inside-view", "data"),
        Input("inside-points-when", "value"),
        Input("inside-points-keys", "value"),
        Input("inside-points-least", "value"),
        Input("inside-points-first", "checked"),
        Input("inside-points-texts", "value"),
        Input("theme", "data"),
    )
    def show_points(given: dict[str, Any] | None, *fields: Any) -> Any:
        if given is None or given["mode"] != MODE:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "inside-view"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 3
        *chosen, theme = fields
        try:
            view = view_of(given, *chosen)
            shown, remarks = shown_points(session, view)
        except (ValueError, ModelError) as error:
            return blank_figure(_MESSAGE), "", running.error_line(str(error)), None
        return (
            points_figure(shown, theme), points_caption(shown),
            running.remark_line(remarks), view,
        )  # fmt: skip
