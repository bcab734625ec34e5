"""What the views of the Inside page share: one head of a text, and one query."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.session.requests import HeadRequest
from explorer.session.settings import setting
from explorer.views.spec import Page


@dataclass(frozen=True)
class InsideSettings(HeadRequest):
    """One query of one head."""

    query: int = setting(4, "The token that attends, counted from 0.")


@dataclass(frozen=True)
class SharedSettings(InsideSettings):
    """And what some of the views share."""

    first: bool = setting(True, "Show the first token, whose vectors often lie far from all others.")

    @property
    def n_dropped(self) -> int:
        """How many tokens at the beginning are left out: the first, or none."""
        return int(not self.first)


PAGE: Page = Page(
    "inside",
    "/inside",
    "Inside a head",
    SharedSettings,
    selection="inside-selection",
    fields={"key": "inside-worksheet-key", "before": "inside-worksheet-before"},
)
