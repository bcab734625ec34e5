"""Parts that the figures of the Heads page share."""

from __future__ import annotations

from typing import Any, Protocol

from explorer.figures.style import Theme, model_label
from explorer.records.source import Source


class _OfStack(Protocol):
    @property
    def source(self) -> Source: ...

    @property
    def stack(self) -> str: ...


def model_and_stack(record: _OfStack) -> str:
    """The model's label, with the stack if it is not the encoder or the decoder."""
    model = model_label(record.source.model)
    return model if record.stack in ("encoder", "decoder") else f"{model} · {record.stack}"


def colour_bar(title: str, colours: Theme) -> dict[str, Any]:
    """A narrow colour bar with its title along it."""
    return {
        "thickness": 10,
        "outlinewidth": 0,
        "tickfont": {"size": 11, "color": colours.faint},
        "title": {"text": title, "side": "right", "font": {"color": colours.faint}},
    }
