"""What pages are made of: fields with what they are for on hover, and how graphs behave."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

STILL: Any = {"displayModeBar": False}
ZOOMABLE: Any = {"displaylogo": False, "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d"]]}


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


def choice(name: str, options: dict[str, str], value: str, width: int, why: str) -> Any:
    """A small list to choose from, with what it is for on hover."""
    data = [{"value": option, "label": label} for option, label in options.items()]
    select = dmc.Select(
        id=name, data=data, value=value, size="xs", w=width, allowDeselect=False, **{"aria-label": why}
    )
    return html.Span(select, title=why, id=f"{name}-field")


def switch(name: str, label: str, why: str, checked: bool = False) -> Any:
    """Something that is on or off, with what it is for on hover."""
    field = dmc.Switch(id=name, label=label, checked=checked, size="xs")
    return html.Span(field, title=why, id=f"{name}-field")
