"""Saving what is on the screen."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from dash import Dash, html

from explorer.jobs import Jobs
from explorer.session import Session


def layout() -> Any:
    """The bar below the pages."""
    return html.Footer([])


def register(app: Dash, session: Session, jobs: Jobs, pages: tuple[ModuleType, ...]) -> None:
    """Wire it to ``app``."""
