"""Matrices as moves, on the Inside page: a head's map as what it does to a plane and its grid.

inside-view, the fields, theme ─> inside-moves-graph, -facts, caption, message,
                                  inside-moves-view (what is saved)
inside-moves-share, the figure (in the browser) ─> the right picture, inside-moves-told

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.moves import moves_caption, moves_facts, moves_figure
from explorer.figures.style import blank_figure, model_stem
from explorer.pages import running
from explorer.pages.fields import ZOOMABLE
from explorer.records import ModelError, Moves
from explorer.session import Session, TextRequest
from explorer.views.moves import MAPS, moves, moves_table

MODE, LABEL = "moves", "maps as moves"
_MESSAGE = "what the head’s map does appears here"


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="inside-moves-view"),
            _controls(),
            html.Div(id="inside-moves-message", role="status"),
            dcc.Graph(
                id="inside-moves-graph", config=ZOOMABLE, responsive=True,
                className="graph", figure=blank_figure(_MESSAGE),
            ),
            html.Dl(id="inside-moves-facts", className="moves-facts"),
            html.P(id="inside-moves-caption", className="caption"),
        ],
        id="inside-moves",
        className="part hidden",
    )  # fmt: skip


def _controls() -> Any:
    return html.Div(
        [
            html.Label(
                ["map", dmc.SegmentedControl(
                    id="inside-moves-map", value=MAPS[0], size="xs",
                    data=[{"value": which, "label": which} for which in MAPS],
                )],
                title="Which of the head’s three linear maps: W_Q, W_K or W_V",
                className="selector",
            ),
            html.Span(
                dmc.Switch(id="inside-moves-first", label="first token", checked=True, size="xs"),
                title="In many models the first token’s vector lies far from all others and "
                "takes an axis for itself: leave it out",
            ),
            html.Label(
                ["right picture: before", dmc.Slider(
                    id="inside-moves-share", value=1, min=0, max=1, step=0.01, size="sm", w=220,
                    updatemode="drag", marks=[], label=None,
                ), "after"],
                title="Brings the right picture back to the left one and on again, along straight "
                "lines. The model takes no such way: it makes the move at once",
                className="selector",
            ),
            html.Span(id="inside-moves-told", className="muted"),
        ],
        className="controls",
    )  # fmt: skip


def view_of(view: dict[str, Any], which: str, first: bool) -> dict[str, Any]:
    """What is on the screen: the page's ``inside-view`` with the fields of this one."""
    return view | {"map": which, "drop_first": not first}


def shown_moves(session: Session, view: dict[str, Any]) -> Moves:
    """The move on the screen, out of ``inside-moves-view``.

    Raises:
        ValueError: a layer, head, stack or map there is not.
        ModelError: the model failed, was captured eagerly, or how it keeps its maps is not known.
    """
    request = TextRequest(**view["request"])
    stack = view["stack"] or None
    maps = session.head_maps(request, stack, view["layer"], view["head"])
    source = session.capture(request).stack(stack)
    return moves(maps, view["map"], source.n_heads, source.n_kv_heads, view["drop_first"])


def token_of(shown: Moves, query: int) -> int | None:
    """The page's query among the tokens shown; none where those are another text's keys."""
    if shown.stack == "cross" and shown.which != "query":
        return None
    place = min(max(query, 0), len(shown.labels) - 1 + shown.drop_first) - shown.drop_first
    return place if place >= 0 else None


def csv(session: Session, view: dict[str, Any]) -> tuple[str, str]:
    """File name and content of the move on the screen, from ``inside-moves-view``."""
    shown = shown_moves(session, view)
    model = model_stem(shown.model)
    name = f"{model}-{shown.stack}-layer{shown.layer}-head{shown.head}-{shown.which}-map.csv"
    return name, moves_table(shown).csv()


def register(app: Dash, session: Session) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("moves", "follow"),
        Output("inside-moves-told", "children"),
        Input("inside-moves-graph", "figure"),
        Input("inside-moves-share", "value"),
    )

    @app.callback(
        Output("inside-moves-graph", "figure"),
        Output("inside-moves-facts", "children"),
        Output("inside-moves-caption", "children"),
        Output("inside-moves-message", "children"),
        Output("inside-moves-view", "data"),
        Input("inside-view", "data"),
        Input("inside-moves-map", "value"),
        Input("inside-moves-first", "checked"),
        Input("theme", "data"),
    )
    def show_moves(given: dict[str, Any] | None, which: str, first: bool, theme: str) -> Any:
        if given is None or given["mode"] != MODE:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "inside-view"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 4
        try:
            view = view_of(given, which, first)
            shown = shown_moves(session, view)
        except (ValueError, ModelError) as error:
            return blank_figure(_MESSAGE), [], "", running.error_line(str(error)), None
        token = token_of(shown, view["query"])
        return (
            moves_figure(shown, token, theme), facts_list(shown), moves_caption(shown),
            None, view,
        )  # fmt: skip


def facts_list(shown: Moves) -> list[Any]:
    """What the map does, a line each."""
    return [html.Div([html.Dt(name), html.Dd(said)]) for name, said in moves_facts(shown)]
