"""The Heads page's comparison: the chosen head, another one, and the difference.

heads-mode, heads-compare-for, -* fields ─> heads-comparison-job        (the second side is computed)
    ─> heads-comparison-request ─> heads-comparison-first, -second, -difference, caption, facts, state

Nothing is computed while another view is on the screen.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html

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
from explorer.views.panel.fields import ZOOMABLE, graph, labelled
from explorer.views.panel.running import Run
from explorer.views.panel.view_panel import Drawing, draws, part

_FIELDS = ("other_model", "other_text", "other_layer", "other_head")
_MORE_HELP = {"other_model": " It is loaded when you choose it.", "other_text": " Enter compares."}
_GRAPHS = {
    "first": "the chosen head appears here",
    "second": "the head it is compared with appears here",
    "difference": "their difference appears here",
}


def layout() -> Any:
    """The view's components."""
    graphs = [
        graph(f"heads-comparison-{name}", message, ZOOMABLE, f"graph compared-{name}")
        for name, message in _GRAPHS.items()
    ]
    return part(
        VIEW,
        *running.stores("heads-comparison"),
        _controls(),
        html.Div(id="heads-comparison-message"),
        html.Div(id="heads-comparison-facts", className="facts"),
        html.Div(graphs, className="scrolling compared"),
        html.P(id="heads-comparison-caption", className="caption"),
    )


def _controls() -> Any:
    text: Any = {"value": "", "debounce": True, "placeholder": "the same", "size": "xs"}
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
    fields = {
        "other_model": dmc.Autocomplete(
            id="heads-comparison-other-model",
            data=_models(),
            w=170,
            clearable=True,
            comboboxProps={"width": 320},
            **text,
        ),
        "other_text": dmc.TextInput(id="heads-comparison-other-text", className="grows", **text),
        "other_layer": dmc.NumberInput(id="heads-comparison-other-layer", **number),
        "other_head": dmc.NumberInput(id="heads-comparison-other-head", **number),
    }
    labels = [
        labelled(
            name.removeprefix("other_"),
            ComparisonSettings.help_of(name) + _MORE_HELP.get(name, ""),
            field,
            "selector grows" if name == "other_text" else "selector",
        )
        for name, field in fields.items()
    ]
    return html.Div([html.B("compared with"), *labels], className="controls")


def _models() -> list[str]:
    installed = [name for name in bundled.BUNDLED if bundled.is_installed(name)]
    return [*installed, *(preset.repo for preset in hub.PRESETS)]


def register(app: Dash, session: Session, jobs: Jobs) -> None:
    """Wire the view's callbacks to ``app``."""

    def prepare(mode: str, selection: dict[str, Any] | None, *fields: Any) -> Run | None:
        *typed, job = fields
        if mode != VIEW.name or selection is None:
            return None
        other = dict(zip(_FIELDS, map(_text_of, typed), strict=True))
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
        first, second = (coarse(side, SIDE_CELLS) for side in (record.first, record.second))
        sides = side_figures(first, second, theme, settings.log, settings.palette)
        difference = (
            blank_figure("the two texts have no word in common: there is no difference map")
            if record.difference is None
            else difference_figure(record, theme)
        )
        also = [comparison_caption(record, settings.log), comparison_facts(record)]
        return Drawing([*sides, difference], settings, also)


def _text_of(value: Any) -> str:
    """A field's value as a setting; blanks alone are empty."""
    text = "" if value is None else str(value)
    return text if text.strip() else ""
