"""Fields with help on hover, and graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from explorer.figures.style import blank_figure

STILL: Any = {"displayModeBar": False}
ZOOMABLE: Any = {"displaylogo": False, "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d"]]}


def graph(name: str, message: str, config: Any = STILL, style: str = "graph", **more: Any) -> Any:
    """An empty figure with a message, which fills its container; ``more`` is passed on to ``dcc.Graph``."""
    return dcc.Graph(id=name, responsive=True, className=style, config=config, figure=blank_figure(message), **more)


def select(
    name: str, value: str | None, width: int | None, options: Mapping[str, str] | None = None, **more: Any
) -> Any:
    """A list to choose one of; its options, value to label, may be set later; no width: as its place.

    ``more`` is passed on to ``dmc.Select``.
    """
    width_option = {} if width is None else {"w": width}
    settings = {"allowDeselect": False, "size": "xs"} | width_option | more
    return dmc.Select(id=name, value=value, data=options_of(options or {}), **settings)


def segments(name: str, value: str, options: Mapping[str, str], **more: Any) -> Any:
    """Options side by side, value to label; ``more`` is passed on to ``dmc.SegmentedControl``."""
    return dmc.SegmentedControl(id=name, value=value, data=options_of(options), size="xs", **more)


def options_of(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Options, value to label, in the form of Mantine's components."""
    return [{"value": value, "label": label} for value, label in labels.items()]


def labelled(label: Any, why: str, field: Any, style: str = "selector") -> Any:
    """A field after its label, a string or a component."""
    return html.Label([label, field], title=why, className=style)


def counted(name: str, label: str, why: str) -> Any:
    """A layer or head to choose by its number, from 0."""
    field = dmc.NumberInput(
        id=name,
        value=0,
        min=0,
        max=999,
        allowDecimal=False,
        allowNegative=False,
        clampBehavior="strict",
        size="xs",
        w=62,
        debounce=150,
    )
    return labelled(label, why, field)


def choice(name: str, options: Mapping[str, str], value: str, width: int, why: str) -> Any:
    """A small list to choose from, with help on hover."""
    field = select(name, value, width, options, **{"aria-label": why})
    return html.Span(field, title=why, id=f"{name}-field")


def switch(name: str, label: str, why: str, checked: bool = False) -> Any:
    """A switch with help on hover."""
    field = dmc.Switch(id=name, label=label, checked=checked, size="xs")
    return html.Span(field, title=why, id=f"{name}-field")


def number(name: str, value: float, width: int, **more: Any) -> Any:
    """A field for a number; ``more`` is passed on to ``dmc.NumberInput``."""
    return dmc.NumberInput(id=name, value=value, w=width, size="xs", debounce=150, **more)


def slider(name: str, value: float, last: float, step: float = 1, **more: Any) -> Any:
    """A slider from 0 whose value changes while it is dragged; ``more`` is passed on to ``dmc.Slider``."""
    options = {"size": "sm", "label": None, "marks": [], "updatemode": "drag"} | more
    return dmc.Slider(id=name, value=value, min=0, max=last, step=step, **options)
