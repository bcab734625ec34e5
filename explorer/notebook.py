"""Views from a notebook or a script: the same figures and files as the page's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from explorer.capture.capture import Capture, check_read
from explorer.figures.figure_style import FigureStyle
from explorer.saving.files import FORMATS, check_path, write_file
from explorer.saving.save import Saving, figure_of, record, result_of, saved
from explorer.session.links import State, parse, written
from explorer.session.requests import request_of
from explorer.session.session import Session
from explorer.views.registry import KINDS, asked_of, state_for, unread
from explorer.views.spec import Exhibit, Kind
from explorer.views.state import text_state

_LOOKS = frozenset(field.name for field in fields(FigureStyle))


class View:
    """One view of a model, as the page shows it; a notebook draws it below its cell.

    ``link`` is its address in the page, ``remarks`` what of the address was not understood.
    """

    def __init__(self, session: Session, exhibit: Exhibit, remarks: tuple[str, ...] = ()) -> None:
        self._session = session
        self._exhibit = exhibit
        self.kind = exhibit.kind
        self.link = exhibit.link
        self.remarks = remarks
        self.figures = tuple(exhibit.figures)

    def figure(self, name: str = "", **look: Any) -> go.Figure:
        """One of its figures; it needs no network to be shown.

        Args:
            name: one of ``figures``; the first where none is named.
            look: theme, palette, width, unit, font, points, title, caption (see ``FigureStyle``).

        Raises:
            ValueError: no such figure, or a look that cannot be drawn.
        """
        return figure_of(self._exhibit, Saving(name, _look(look))).figure

    def data(self) -> dict[str, Any]:
        """Its numbers by name, and under "provenance" what made them, as its JSON file has them."""
        told = record(self._session, self._exhibit, "json")
        return result_of(self._exhibit, told)

    def csv(self) -> str:
        """Its numbers as rows."""
        return self._exhibit.table().csv()

    def save(self, path: str | Path, *, figure: str = "", dots: float = 2.0, **look: Any) -> Path:
        """Write it to a file whose ending names the format; what was there is overwritten.

        Args:
            path: ends in .png, .svg, .pdf, .html, .csv, .json or .npz.
            figure: one of ``figures``.
            dots: of a PNG, dots a pixel of 1/96 inch: 1 to 4.
            look: as for ``figure``.

        Raises:
            ValueError: another ending, a folder that cannot be written, or a look that cannot
                be drawn.
            ExportError: PNG, SVG or PDF, and there is no Chrome or Chromium.
        """
        path = Path(path)
        kind = check_path(path, FORMATS, force=True)
        saving = Saving(figure, _look(look), dots)
        write_file(path, saved(self._session, self._exhibit, kind, saving))
        return path

    def __repr__(self) -> str:
        return f"<view {self.kind}: {self.link}>"

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> Any:
        return self.figure()._repr_mimebundle_(*args, **kwargs)


def view(
    what: str | Capture,
    kind: str | None = None,
    *,
    device: str = "auto",
    dtype: str = "float32",
    revision: str | None = None,
    other_revision: str | None = None,
    **settings: str | int | float | bool | None,
) -> View:
    """A view by its address, by its kind and settings, or of a capture at hand.

    >>> view("/?layer=1&head=8")  # doctest: +SKIP
    >>> view("heatmap", text="She ate an apple.", layer=1, head=8)  # doctest: +SKIP
    >>> view(cap, "lines", layer=1, head=8, threshold=0.2)  # doctest: +SKIP

    Args:
        what: an address of the page ("/inside?layer=1"), a kind ("heatmap",
            "lines", "embeddings", …), or a capture.
        kind: which view of an address, where its page has several, or of a capture (a map).
        device: where the model runs, as in ``load_model``; a capture has its own.
        dtype: its precision, likewise.
        revision: a hub commit, branch or tag, likewise.
        other_revision: the same of a second model, which a comparison or a mask may name.
        settings: of the view, as an address names them; all others, and those that are None, are
            as they begin, or as the address or the capture has them.

    Raises:
        ValueError: an unknown kind or setting, or one the model or the text does not have; a
            ``pair`` or ``target`` that the model does not read (of an address it is left out,
            with a remark).
        ModelError: the model cannot be loaded or failed.

    Warns:
        UserWarning: of each of its ``remarks``.
    """
    chosen, told, remarks = _told(what, kind)
    given = _checked(chosen, settings)
    asked = state_for(chosen, {**told, **given})
    if isinstance(what, Capture):
        session = Session.of(what, chosen.revisions(asked, None, other_revision))
    else:
        revisions = chosen.revisions(asked, revision, other_revision)
        session = _session(device, dtype, tuple(revisions.items()))
    if "text" in asked:
        texts = (str(given.get(name, "")) or None for name in ("pair", "target"))
        check_read(session.model(str(asked["model"])), *texts)
    exhibit = chosen.make(session, asked)
    remarks = (*remarks, *unread(asked, exhibit))
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    return View(session, exhibit, remarks)


def show(what: str | Capture, kind: str | None = None, **settings: Any) -> go.Figure:
    """The chief figure of a view, for a notebook to display; arguments as for ``view``."""
    return view(what, kind, **settings).figure()


def _told(what: str | Capture, kind: str | None) -> tuple[Kind, State, tuple[str, ...]]:
    """The kind of view, what of its state is told, and what is not understood."""
    if isinstance(what, Capture):
        return _kind(kind or "heatmap"), text_state(request_of(what, what.target)), ()
    if "/" not in what:
        return _kind(what), {}, ()
    return asked_of(what, _kind(kind) if kind else None)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise ValueError(
            f"unknown kind of view '{name}': use {', '.join(KINDS)}, or an address such as /?layer=1&head=8"
        )
    return KINDS[name]


def _checked(kind: Kind, settings: Mapping[str, Any]) -> State:
    """Settings by name, of the type the view has them in; those that are None are not given."""
    if unknown := sorted(set(settings) - set(kind.defaults)):
        raise ValueError(f"{kind.name} has no setting {', '.join(unknown)}: it has {', '.join(kind.defaults)}")
    state: State = {}
    for name, value in settings.items():
        if value is None:
            continue
        parsed = parse({name: written(value)}, kind.defaults)
        if parsed.remarks:
            raise ValueError(f"{name}={value!r} is no value of it: it begins as {kind.defaults[name]!r}")
        state[name] = parsed.state[name]
    return state


def _look(look: Mapping[str, Any]) -> FigureStyle:
    if unknown := sorted(set(look) - _LOOKS):
        raise ValueError(f"a figure has no {', '.join(unknown)}: it has {', '.join(_LOOKS)}")
    return FigureStyle(**look)


@lru_cache(maxsize=4)
def _session(device: str, dtype: str, revisions: tuple[tuple[str, str], ...]) -> Session:
    """One session a device and precision, so that a notebook's cells share models and captures."""
    return Session(device, dtype, dict(revisions))
