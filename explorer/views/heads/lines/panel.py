"""The Heads page's lines view: tokens in two columns, the largest weights as lines.

heads-lines-for, heads-lines-* fields, theme, heads-mode ─> heads-lines-graph, caption,
                                                            heads-lines-state
a hovered token (in the browser) ─> its lines stay, the others fade

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.lines import MAX_HEADS, MAX_LINES, VIEW, LinesSettings
from explorer.views.heads.lines.compute import compute
from explorer.views.heads.lines.figure import lines_caption, lines_figure, panel_height
from explorer.views.panel.fields import graph, labelled
from explorer.views.panel.view_panel import Drawing, draws, part

_MESSAGE = "the head’s lines appear here"


def layout() -> Any:
    """The view's components."""
    lines = graph("heads-lines-graph", _MESSAGE, style="", clear_on_unhover=True)
    caption = html.P(id="heads-lines-caption", className="caption")
    return part(VIEW, _controls(), html.Div(lines, className="scrolling"), caption)


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
                LinesSettings.help_of("threshold"),
                dmc.NumberInput(
                    id="heads-lines-threshold",
                    value=LinesSettings.threshold,
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
                    value=LinesSettings.count,
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


def register(app: Dash, session: Session, _jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""
    app.clientside_callback(
        ClientsideFunction("heads_lines", "isolate"),
        Output("heads-lines-graph", "id"),
        Input("heads-lines-graph", "hoverData"),
    )

    @draws(
        app,
        VIEW,
        ["heads-lines-graph"],
        [
            Input("heads-lines-for", "data"),
            Input("heads-lines-heads", "value"),
            Input("heads-lines-threshold", "value"),
            Input("heads-lines-count", "value"),
            Input("theme", "data"),
        ],
        [
            Output("heads-lines-graph", "style"),
            Output("heads-lines-caption", "children"),
            Output("heads-lines-heads", "data"),
        ],
        _MESSAGE,
    )
    def draw_lines(
        selection: dict[str, Any] | None, others: list[str], threshold: Any, count: Any, theme: str
    ) -> Drawing | None:
        if selection is None:
            return None
        settings = LinesSettings.of(selection)
        n_heads = session.capture(settings.request).stack(settings.stack or None).n_heads
        settings = replace(
            settings,
            other_heads=",".join(number for number in others or [] if int(number) < n_heads),
            threshold=LinesSettings.threshold if threshold in (None, "") else float(threshold),
            count=LinesSettings.count if count in (None, "") else int(count),
        )
        record = compute(session, settings.check())
        offered = [str(number) for number in range(n_heads)]
        also = [{"height": panel_height(record)}, lines_caption(record), offered]
        return Drawing([lines_figure(record, theme)], settings, also)
