"""The Heads page's lines view: tokens in two columns, the strong weights as lines.

heads-lines-for, heads-lines-* fields, theme, heads-mode ─> heads-lines-graph, caption, message,
                                                            heads-lines-view (its state)
a hovered token (in the browser) ─> its lines stay, the others fade

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.lines import view as lines
from explorer.views.heads.lines.compute import COUNT, MAX_HEADS, MAX_LINES, THRESHOLD
from explorer.views.heads.lines.figure import lines_caption, lines_figure, panel_height
from explorer.views.panel import running
from explorer.views.panel.fields import STILL, labelled
from explorer.views.state import text_request

MODE = "lines"
ADDRESS = {"with": "heads-lines-heads", "threshold": "heads-lines-threshold", "count": "heads-lines-count"}
_MESSAGE = "the head’s lines appear here"


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            dcc.Store(id="heads-lines-view"),
            _controls(),
            html.Div(id="heads-lines-message", role="status"),
            html.Div(
                dcc.Graph(
                    id="heads-lines-graph",
                    responsive=True,
                    clear_on_unhover=True,
                    config=STILL,
                    figure=blank_figure(_MESSAGE),
                ),
                className="scrolling",
            ),
            html.P(id="heads-lines-caption", className="caption"),
        ],
        id="heads-lines",
        className="part hidden",
    )


def _controls() -> Any:
    return html.Div(
        [
            labelled(
                "with heads",
                f"Other heads of the same layer, beside the chosen one: {MAX_HEADS} at most, as "
                "many as colours can tell apart",
                dmc.MultiSelect(
                    id="heads-lines-heads",
                    value=[],
                    data=[],
                    maxValues=MAX_HEADS - 1,
                    size="xs",
                    w=190,
                    placeholder="others",
                    clearable=True,
                    searchable=True,
                    nothingFoundMessage="no such head",
                ),
            ),
            labelled(
                "from weight",
                "The least weight that is drawn as a line",
                dmc.NumberInput(
                    id="heads-lines-threshold",
                    value=THRESHOLD,
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
            labelled(
                "at most",
                f"The most lines, strongest first; up to {MAX_LINES:,}",
                dmc.NumberInput(
                    id="heads-lines-count",
                    value=COUNT,
                    min=1,
                    max=MAX_LINES,
                    step=100,
                    allowDecimal=False,
                    clampBehavior="strict",
                    size="xs",
                    w=76,
                    debounce=150,
                ),
            ),
        ],
        className="controls",
    )


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("lines", "isolate"),
        Output("heads-lines-graph", "id"),
        Input("heads-lines-graph", "hoverData"),
    )

    @app.callback(
        Output("heads-lines-graph", "figure"),
        Output("heads-lines-graph", "style"),
        Output("heads-lines-caption", "children"),
        Output("heads-lines-message", "children"),
        Output("heads-lines-heads", "data"),
        Output("heads-lines-view", "data"),
        Input("heads-mode", "value"),
        Input("heads-lines-for", "data"),
        Input("heads-lines-heads", "value"),
        Input("heads-lines-threshold", "value"),
        Input("heads-lines-count", "value"),
        Input("theme", "data"),
    )
    def show_lines(
        mode: str, head: dict[str, Any] | None, others: list[str], threshold: Any, count: Any, theme: str
    ) -> Any:
        if mode != MODE or head is None:
            # A picture that is left takes its nodes out of the page.
            left = ctx.triggered_id == "heads-mode"
            return blank_figure(_MESSAGE) if left else no_update, *(no_update,) * 5
        try:
            cap = session.capture(text_request(head))
            n_heads = cap.stack(head["stack"] or None).n_heads
            beside = [number for number in others or [] if int(number) < n_heads]
            state = {
                **lines.DEFAULTS,
                **head,
                "mode": MODE,
                "with": ",".join(beside),
                "threshold": _number(threshold, THRESHOLD),
                "count": int(_number(count, COUNT)),
            }
            drawn = lines.drawn(session, state)
        except (ValueError, ModelError) as error:
            return *(no_update,) * 3, running.error_line(str(error)), no_update, no_update
        return (
            lines_figure(drawn, theme),
            {"height": panel_height(drawn)},
            lines_caption(drawn),
            None,
            [str(number) for number in range(n_heads)],
            state,
        )


def _number(typed: Any, otherwise: float) -> float:
    """What was typed, or the default where the field is empty."""
    return otherwise if typed in (None, "") else float(typed)
