"""What the numbers in the table of heads mean: every measure, and its baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from explorer.analysis.measures import MEASURES
from explorer.analysis.measures.explained import BESIDE, NULLS, Explanation
from explorer.analysis.measures.measure import Measure


def layout() -> Any:
    """The panel, closed."""
    return dmc.Modal(
        [
            *map(_measure, MEASURES.values()),
            html.H2("Baselines of a score"),
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
    terms = [part for name, fact in facts.items() for part in (html.Dt(name), html.Dd(fact))]
    return html.Section([html.H3(title), html.P(reading), html.Dl(terms)])


def _measure(measure: Measure) -> Any:
    low, high = ("as the text allows" if limit is None else f"{limit:g}" for limit in measure.range)
    facts = {
        "formula": measure.formula,
        "range": f"{low} to {high} {measure.unit}".strip(),
        "undefined": measure.undefined,
        "source": measure.source,
    }
    return section(measure.title, measure.reading, facts)


def _explained(number: Explanation) -> Any:
    facts = {
        "formula": number.formula,
        "range": number.range,
        "undefined": number.undefined,
        "source": number.source,
        "Python": number.name,
    }
    return section(number.title, number.reading, facts)
