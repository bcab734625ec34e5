"""What the numbers in the table of heads mean: every measure, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from explorer.analysis.measures import MEASURES
from explorer.analysis.measures.explained import BESIDE, NULLS, Explanation


def layout() -> Any:
    """The panel, closed."""
    measures = [
        section(
            measure.title,
            measure.reading,
            {
                "formula": measure.formula,
                "range": _range(measure.range, measure.unit),
                "undefined": measure.undefined,
                "source": measure.source,
            },
        )
        for measure in MEASURES.values()
    ]
    return dmc.Modal(
        [
            *measures,
            html.H2("What a score is held against"),
            *map(_explained, NULLS),
            html.H2("Beside the table"),
            *map(_explained, BESIDE),
        ],
        id="measures-help",
        title="What the measures mean",
        size="lg",
    )


def register(app: Dash) -> None:
    """Wire the button that opens the panel."""
    app.clientside_callback(
        ClientsideFunction("explorer", "openKeys"),
        Output("measures-help", "opened"),
        Input("measures-open", "n_clicks"),
    )


def section(title: str, reading: str, facts: Mapping[str, str]) -> Any:
    """What one number means: how to read it, and its formula, source and the like."""
    terms = [part for name, said in facts.items() for part in (html.Dt(name), html.Dd(said))]
    return html.Section([html.H3(title), html.P(reading), html.Dl(terms)])


def _explained(number: Explanation) -> Any:
    return section(
        number.title,
        number.reading,
        {
            "formula": number.formula,
            "range": number.range,
            "undefined": number.undefined,
            "source": number.source,
            "Python": number.name,
        },
    )


def _range(limits: tuple[float | None, float | None], unit: str) -> str:
    low, high = ("as the text allows" if limit is None else f"{limit:g}" for limit in limits)
    return f"{low} to {high} {unit}".strip()
