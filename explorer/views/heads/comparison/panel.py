"""The Heads page's comparison: the chosen head, another one, and the difference.

heads-mode, heads-compare-for, -* fields ─> heads-compare-job           (the second side is made)
    ─> heads-compare-request ─> heads-compare-first, -second, -difference, caption, facts,
                                heads-comparison-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from explorer.figures.style import blank_figure
from explorer.models import bundled, hub
from explorer.records import ModelError
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.session.settings import State as Settings
from explorer.views.heads.comparison import view as comparison
from explorer.views.heads.comparison.compute import comparison_facts
from explorer.views.heads.comparison.figure import SIDE_CELLS, comparison_caption, difference_figure, side_figures
from explorer.views.heads.heatmap.compute import coarse
from explorer.views.panel import running
from explorer.views.panel import text as heads_text
from explorer.views.panel.fields import ZOOMABLE, labelled
from explorer.views.panel.running import Run

MODE = "comparison"
ADDRESS = {f"other_{field}": f"heads-compare-{field}" for field in ("model", "text", "layer", "head")}
_GRAPHS = ("first", "second", "difference")
_MESSAGES = (
    "the chosen head appears here",
    "the head it is compared with appears here",
    "their difference appears here",
)


def layout() -> Any:
    """The view's components."""
    return html.Div(
        [
            *running.stores("heads-compare"),
            dcc.Store(id="heads-comparison-state"),
            _controls(),
            html.Div(id="heads-compare-message"),
            html.Div(id="heads-compare-facts", className="facts"),
            html.Div(
                [_graph(name, said) for name, said in zip(_GRAPHS, _MESSAGES, strict=True)],
                className="scrolling compared",
            ),
            html.P(id="heads-compare-caption", className="caption"),
        ],
        id="heads-comparison-part",
        className="part hidden",
    )


def _graph(name: str, message: str) -> Any:
    return dcc.Graph(
        id=f"heads-compare-{name}",
        responsive=True,
        className=f"graph compared-{name}",
        config=ZOOMABLE,
        figure=blank_figure(message),
    )


def _controls() -> Any:
    number: Any = {
        "value": "",
        "min": 0,
        "max": 999,
        "allowDecimal": False,
        "clampBehavior": "strict",
        "size": "xs",
        "w": 62,
        "debounce": 300,
        "placeholder": "same",
    }
    return html.Div(
        [
            html.B("compared with"),
            labelled(
                "model",
                "Another model; empty: the same one. It is loaded when you choose it",
                dmc.Autocomplete(
                    id="heads-compare-model",
                    value="",
                    data=_models(),
                    debounce=True,
                    placeholder="the same",
                    size="xs",
                    w=170,
                    clearable=True,
                    comboboxProps={"width": 320},
                ),
            ),
            labelled(
                "text",
                "Another text; empty: the same one, with its second text. Enter compares",
                dmc.TextInput(
                    id="heads-compare-text",
                    value="",
                    debounce=True,
                    placeholder="the same",
                    size="xs",
                    className="grows",
                ),
                "selector grows",
            ),
            labelled(
                "layer",
                "Another layer, counted from 0; empty: the same one",
                dmc.NumberInput(id="heads-compare-layer", **number),
            ),
            labelled(
                "head",
                "Another head, counted from 0; empty: the same one",
                dmc.NumberInput(id="heads-compare-head", **number),
            ),
        ],
        className="controls",
    )


def _models() -> list[str]:
    ready = [name for name in bundled.BUNDLED if bundled.is_installed(name)]
    return [*ready, *(preset.repo for preset in hub.PRESETS)]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    def prepare(
        mode: str,
        head: Settings | None,
        model: str | None,
        text: str | None,
        layer: Any,
        other: Any,
        job: dict[str, Any] | None,
    ) -> Run | None:
        if mode != MODE or head is None:
            return None
        typed = [_typed(field) for field in (model, text, layer, other)]
        state = {**comparison.DEFAULTS, **head, "mode": MODE, **dict(zip(ADDRESS, typed, strict=True))}
        if job and job.get("request") == state:  # back from another view
            return None
        return Run(state, lambda tell: comparison.sides(session, state, tell))

    running.follow(
        app,
        jobs,
        "heads-compare",
        [
            Input("heads-mode", "value"),
            Input("heads-compare-for", "data"),
            *(Input(field, "value") for field in ADDRESS.values()),
        ],
        [State("heads-compare-job", "data")],
        prepare,
        heads_text.offer,
    )

    @app.callback(
        Output("heads-compare-first", "figure"),
        Output("heads-compare-second", "figure"),
        Output("heads-compare-difference", "figure"),
        Output("heads-compare-caption", "children"),
        Output("heads-compare-facts", "children"),
        Output("heads-comparison-state", "data"),
        Input("heads-compare-request", "data"),
        Input("theme", "data"),
        Input("heads-mode", "value"),
    )
    def show(state: Settings | None, theme: str, mode: str) -> Any:
        if state is None or mode != MODE:
            # Pictures that are left take their nodes out of the page.
            left = ctx.triggered_id == "heads-mode"
            blank = [blank_figure(sentence) if left else no_update for sentence in _MESSAGES]
            return *blank, *(no_update,) * 3
        log, palette = bool(state["log"]), str(state["palette"])
        try:
            found = comparison.drawn(session, state)
            first, second = (coarse(drawn, SIDE_CELLS) for drawn in (found.first, found.second))
            sides = side_figures(first, second, theme, log, palette)
        except (ValueError, ModelError) as error:
            return *(no_update,) * 4, running.error_line(str(error)), no_update
        difference = (
            blank_figure("the two texts have no word in common: there is no difference map")
            if found.difference is None
            else difference_figure(found, theme)
        )
        caption = comparison_caption(found, log)
        return *sides, difference, caption, comparison_facts(found), state


def _typed(field: Any) -> str:
    """What a field holds as a state tells it; blanks alone are nothing."""
    said = "" if field is None else str(field)
    return said if said.strip() else ""
