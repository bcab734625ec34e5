"""Views that are not yet written as a ``ViewSpec``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, make_dataclass
from typing import Any

from explorer.records.source import Source
from explorer.records.table import Table
from explorer.session.requests import ModelRequest, TextRequest
from explorer.session.settings import State, Value, setting
from explorer.views.spec import Page, ViewParts, ViewSpec


@dataclass(frozen=True)
class Exhibit:
    """An old view."""

    state: State
    stem: str
    result: Callable[[], dict[str, Any]]
    table: Callable[[], Table]
    figures: Mapping[str, Any]
    truncation: str = ""
    other: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class Kind:
    """An old view's description."""

    name: str
    title: str
    path: str
    mode: str
    defaults: Mapping[str, Value]
    build: Callable[[Any, State], Exhibit]
    figures: tuple[str, ...]
    second: str = ""

    def exhibit(self, *args: Any, **more: Any) -> Exhibit:
        """A view of this kind."""
        return Exhibit(*args, **more)


def spec_of(kind: Kind, page: Page, name: str, label: str, beside: bool = False) -> ViewSpec:
    """An old view as a ``ViewSpec``."""
    base: tuple[type, ...] = (TextRequest,) if "text" in kind.defaults else (ModelRequest,)
    known = base[0].defaults()  # type: ignore[attr-defined]
    settings = make_dataclass(
        f"{name.title()}Settings",
        [(n, type(v), setting(v, n)) for n, v in kind.defaults.items() if n not in known and n != "mode"],
        bases=base,
        frozen=True,
    )

    def data(record: Exhibit, _settings: Any) -> dict[str, Any]:
        dropped = ("kind", "versions", "settings", "revision", "model", "text", "pair")
        return {n: v for n, v in record.result().items() if n not in dropped}

    def source(record: Exhibit) -> Source:
        told, state = record.result(), record.state
        text = told.get("text", state.get("text"))
        revision = told.get("revision") or dict(told.get("settings", {})).get("revision")
        return Source(str(state["model"]), revision, text, told.get("pair"), record.truncation)

    figures = {f: (lambda record, _s, style, f=f: record.figures[f](style)) for f in kind.figures}
    parts = ViewParts(
        compute=lambda session, s, _p: kind.build(session, {**s.as_dict(), "mode": kind.mode}),
        figures=figures,
        data=data,
        table=lambda record, _s: record.table(),
        stem=lambda record, _s: record.stem,
        source=source,
        other_model=lambda record, _s: record.other(),
    )
    return ViewSpec(
        name, kind.title, label, page, settings, kind.figures, parts=parts, beside=beside, second=kind.second
    )
