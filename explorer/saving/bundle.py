"""Several figures and their data as one archive, with a page to read them by."""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from plotly.offline import get_plotlyjs

from explorer.figures.templates import render
from explorer.records import ModelError
from explorer.saving.files import FORMATS, PICTURES, ExportError, NoBrowserError
from explorer.saving.rendering import renderer
from explorer.saving.save import Saving, file_name, saved
from explorer.session.requests import ModelRequest
from explorer.session.session import Session
from explorer.views.registry import VIEWS, link_to_view

MOST = 60
SCRIPT = "plotly.min.js"
Tell = Callable[[str, float | None], None]


@dataclass(frozen=True)
class Kept:
    """A view that was chosen for the archive: its kind and state, and how it looks."""

    kind: str
    settings: ModelRequest
    saving: Saving = field(default_factory=Saving)


@dataclass(frozen=True)
class _Entry:
    """What the index tells of one view: its files by format, and by format why one is not there."""

    title: str
    caption: str
    link: str
    names: dict[str, str]
    failed: dict[str, str]

    @property
    def command(self) -> str:
        """What makes the view again from its JSON."""
        return shlex.join(["python", "-m", "explorer", "remake", self.names["json"]])


def bundle(session: Session, kept: Sequence[Kept], tell: Tell | None = None) -> bytes:
    """A zip with each view's figure and data in every format, and an index.html.

    Without a browser the PNG, SVG and PDF are left out, as is a single one that it fails to draw,
    and the index says so; the pages to hover over share one script and need no network.

    Raises:
        ValueError: nothing was kept, too much, or something that cannot be drawn.
        ModelError: a model cannot be loaded.
    """
    if not kept:
        raise ValueError("nothing is kept yet: press Keep below a figure first")
    if len(kept) > MOST:
        raise ValueError(f"{len(kept)} figures are too many for one archive: keep at most {MOST}")
    file, entries, missing = io.BytesIO(), list[_Entry](), ""
    with renderer() as draw, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(kept, start=1):
            if tell:
                tell(f"drawing figure {number} of {len(kept)}", (number - 1) / len(kept))
            with _named(one, number):
                view = VIEWS[one.kind].make(session, one.settings)
                caption = view.figure(one.saving.figure, one.saving.look).caption
                names, failed = dict[str, str](), dict[str, str]()
                for kind in FORMATS:
                    if kind in PICTURES and missing:
                        continue
                    name = f"{number:02d}-{file_name(view, kind, one.saving)}"
                    try:
                        content = saved(session, view, kind, one.saving, draw, SCRIPT)
                    except NoBrowserError as error:
                        missing = str(error)
                    except ExportError as error:
                        failed[kind] = str(error)
                    else:
                        archive.writestr(name, content)
                        names[kind] = name
            title = VIEWS[one.kind].title
            entries.append(_Entry(title, caption, link_to_view(view.spec, view.settings), names, failed))
        archive.writestr(SCRIPT, get_plotlyjs())
        archive.writestr("index.html", render(__file__, "bundle", entries=entries, missing=missing))
    return file.getvalue()


@contextmanager
def _named(one: Kept, number: int) -> Iterator[None]:
    """What is wrong with one of several tells which it is."""
    try:
        yield
    except (ValueError, ModelError) as error:
        kind = ModelError if isinstance(error, ModelError) else ValueError
        title = VIEWS[one.kind].title
        raise kind(f"figure {number} ({title}) cannot be made: {error}") from None
