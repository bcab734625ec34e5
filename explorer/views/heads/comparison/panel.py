"""The Heads page's comparison: the chosen head, another one, and the difference.

heads-mode, heads-compare-for, -* fields ─> heads-compare-job           (the second side is made)
    ─> heads-compare-request ─> heads-compare-first, -second, -difference, caption, facts,
                                heads-comparison-state (its state)

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html

from explorer.figures.style import blank_figure
from explorer.models import bundled, hub
from explorer.session.jobs import Jobs
from explorer.session.session import Session
from explorer.views.heads.comparison import VIEW, ComparisonSettings
from explorer.views.heads.comparison.compute import comparison_facts, compute
from explorer.views.heads.comparison.figure import SIDE_CELLS, comparison_caption, difference_figure, side_figures
from explorer.views.heads.heatmap.compute import coarse
from explorer.views.panel import running
from explorer.views.panel import text as heads_text
from explorer.views.panel.fields import ZOOMABLE, labelled
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_FIELDS = ("other_model", "other_text", "other_layer", "other_head")
_GRAPHS = ("first", "second", "difference")
_MESSAGES = (
    "the chosen head appears here",
    "the head it is compared with appears here",
    "their difference appears here",
)


def layout() -> Any:
    """The view's components."""
    return part(
        VIEW,
        *running.stores("heads-comparison"),
        _controls(),
        html.Div(id="heads-comparison-message"),
        html.Div(id="heads-comparison-facts", className="facts"),
        html.Div(
            [_graph(name, said) for name, said in zip(_GRAPHS, _MESSAGES, strict=True)], className="scrolling compared"
        ),
        html.P(id="heads-comparison-caption", className="caption"),
    )


def _graph(name: str, message: str) -> Any:
    return dcc.Graph(
        id=f"heads-comparison-{name}",
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
                    id="heads-comparison-other-model",
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
                    id="heads-comparison-other-text",
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
                dmc.NumberInput(id="heads-comparison-other-layer", **number),
            ),
            labelled(
                "head",
                "Another head, counted from 0; empty: the same one",
                dmc.NumberInput(id="heads-comparison-other-head", **number),
            ),
        ],
        className="controls",
    )


def _models() -> list[str]:
    ready = [name for name in bundled.BUNDLED if bundled.is_installed(name)]
    return [*ready, *(preset.repo for preset in hub.PRESETS)]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    def prepare(mode: str, selection: dict[str, Any] | None, *fields: Any) -> Run | None:
        *typed, job = fields
        if mode != VIEW.name or selection is None:
            return None
        other = dict(zip(_FIELDS, map(_typed, typed), strict=True))
        settings = ComparisonSettings.of({**selection, **other})
        if job and job.get("request") == settings.as_dict():  # back from another view
            return None
        return Run(settings.as_dict(), lambda progress: compute(session, settings, progress))

    running.follow(
        app,
        jobs,
        "heads-comparison",
        [
            Input("heads-mode", "value"),
            Input("heads-compare-for", "data"),
            *(Input(VIEW.field(name), "value") for name in _FIELDS),
        ],
        [State("heads-comparison-job", "data")],
        prepare,
        heads_text.offer,
    )

    @draws(
        app,
        VIEW,
        [f"heads-comparison-{name}" for name in _GRAPHS],
        [Input("heads-comparison-request", "data"), Input("theme", "data")],
        [Output("heads-comparison-caption", "children"), Output("heads-comparison-facts", "children")],
    )
    def draw_comparison(request: dict[str, Any] | None, theme: str) -> Drawing | None:
        if request is None:
            return None
        settings = ComparisonSettings.of(request)
        record = compute(session, settings)
        first, second = (coarse(one, SIDE_CELLS) for one in (record.first, record.second))
        sides = side_figures(first, second, theme, settings.log, settings.palette)
        difference = (
            blank_figure("the two texts have no word in common: there is no difference map")
            if record.difference is None
            else difference_figure(record, theme)
        )
        also = [comparison_caption(record, settings.log), comparison_facts(record)]
        return Drawing([*sides, difference], settings, also)


def _typed(field: Any) -> str:
    """What a field holds as a state tells it; blanks alone are nothing."""
    said = "" if field is None else str(field)
    return said if said.strip() else ""
