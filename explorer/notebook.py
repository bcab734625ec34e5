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
from explorer.session.requests import ModelRequest, TextRequest, request_of
from explorer.session.session import Session
from explorer.session.settings import Value, read_value, written
from explorer.views.registry import link_to_view, view_at, view_named
from explorer.views.spec import ComputedView, ViewSpec

_LOOKS = frozenset(field.name for field in fields(FigureStyle))


class View:
    """One view of a model, as the page shows it; a notebook draws it below its cell.

    ``link`` is its address in the page, ``remarks`` what of the address was not understood.
    """

    def __init__(self, session: Session, computed: ComputedView, remarks: tuple[str, ...] = ()) -> None:
        self._session = session
        self._computed = computed
        self.kind = computed.spec.name
        self.link = link_to_view(computed.spec, computed.settings)
        self.remarks = remarks
        self.figures = computed.spec.figures

    def figure(self, name: str = "", **look: Any) -> go.Figure:
        """One of its figures; it needs no network to be shown.

        Args:
            name: one of ``figures``; the first where none is named.
            look: theme, palette, width, unit, font, points, title, caption (see ``FigureStyle``).

        Raises:
            ValueError: no such figure, or a look that cannot be drawn.
        """
        return figure_of(self._computed, Saving(name, _look(look))).figure

    def data(self) -> dict[str, Any]:
        """Its numbers by name, and under "provenance" what made them, as its JSON file has them."""
        told = record(self._session, self._computed, "json")
        return result_of(self._computed, told)

    def csv(self) -> str:
        """Its numbers as rows."""
        return self._computed.table().csv()

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
        write_file(path, saved(self._session, self._computed, kind, saving))
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
    chosen, begun, remarks = _asked(what, kind)
    given = _checked(chosen, settings)
    asked = chosen.settings.of({**begun.as_dict(), **given})
    if isinstance(what, Capture):
        session = Session.of(what, chosen.revisions(asked, None, other_revision))
    else:
        revisions = chosen.revisions(asked, revision, other_revision)
        session = _session(device, dtype, tuple(revisions.items()))
    if isinstance(asked, TextRequest):
        texts = (str(given.get(name, "")) or None for name in ("pair", "target"))
        check_read(session.model(asked.model), *texts)
    computed = chosen.make(session, asked)
    remarks = (*remarks, *computed.unread(asked))
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    return View(session, computed, remarks)


def show(what: str | Capture, kind: str | None = None, **settings: Any) -> go.Figure:
    """The chief figure of a view, for a notebook to display; arguments as for ``view``."""
    return view(what, kind, **settings).figure()


def _asked(what: str | Capture, kind: str | None) -> tuple[ViewSpec, ModelRequest, tuple[str, ...]]:
    """The view, its settings as the address or the capture has them, and what is not understood."""
    if isinstance(what, Capture):
        spec = view_named(kind or "heatmap")
        return spec, spec.settings.of(request_of(what, what.target).as_dict()), ()
    if "/" not in what:
        spec = view_named(what)
        return spec, spec.settings(), ()
    return view_at(what, view_named(kind) if kind else None)


def _checked(spec: ViewSpec, settings: Mapping[str, Any]) -> dict[str, Value]:
    """ModelRequest by name, each of the type that the view has it in; those that are None are not given."""
    defaults = spec.settings.defaults()
    if unknown := sorted(set(settings) - set(defaults)):
        raise ValueError(f"{spec.name} has no setting {', '.join(unknown)}: it has {', '.join(defaults)}")
    values: dict[str, Value] = {}
    for name, value in settings.items():
        if value is None:
            continue
        try:
            values[name] = read_value(written(value), defaults[name])
        except ValueError:
            raise ValueError(f"{name}={value!r} is not a value of it: its default is {defaults[name]!r}") from None
    return values


def _look(look: Mapping[str, Any]) -> FigureStyle:
    if unknown := sorted(set(look) - _LOOKS):
        raise ValueError(f"a figure has no {', '.join(unknown)}: it has {', '.join(_LOOKS)}")
    return FigureStyle(**look)


@lru_cache(maxsize=4)
def _session(device: str, dtype: str, revisions: tuple[tuple[str, str], ...]) -> Session:
    """One session a device and precision, so that a notebook's cells share models and captures."""
    return Session(device, dtype, dict(revisions))
