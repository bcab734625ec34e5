"""Several figures and their data as one archive, with a page to read them by."""

from __future__ import annotations

import html
import io
import shlex
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from plotly.offline import get_plotlyjs

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
        archive.writestr("index.html", _index(entries, missing))
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


def _index(entries: Sequence[_Entry], missing: str) -> str:
    """The page to read the archive by."""
    left_out = f"PNG, SVG and PDF are left out: {html.escape(missing)}."
    note = f"<p class=note>{left_out}</p>" if missing else ""
    parts = "".join(_section(number, entry) for number, entry in enumerate(entries, start=1))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Attention figures</title>'
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;"
        "padding:0 1rem;color:#1d2530}img{max-width:100%}iframe{width:100%;height:36rem;border:0}"
        "section{border-top:1px solid #d9dee5;padding:1rem 0}.note{color:#b02a00}"
        "code{overflow-wrap:anywhere}nav a{margin-right:1ch}</style></head><body>"
        f"<h1>{len(entries)} {'figure' if len(entries) == 1 else 'figures'}</h1>{note}{parts}"
        "</body></html>\n"
    )


def _section(number: int, entry: _Entry) -> str:
    if "svg" in entry.names:
        shown = f'<img src="{quote(entry.names["svg"])}" alt="{html.escape(entry.caption)}">'
    else:
        title = html.escape(entry.title)
        shown = f'<iframe src="{quote(entry.names["html"])}" title="{title}"></iframe>'
    files = "".join(f'<a href="{quote(name)}">{kind.upper()}</a>' for kind, name in entry.names.items())
    failed = "".join(
        f"<p class=note>{kind.upper()} is left out: {html.escape(reason)}.</p>"
        for kind, reason in entry.failed.items()
    )
    command = shlex.join(["python", "-m", "explorer", "remake", entry.names["json"]])
    return (
        f"<section><h2>{number}. {html.escape(entry.title)}</h2>{shown}"
        f"<p>{html.escape(entry.caption)}</p><nav>{files}</nav>{failed}"
        f"<p>Address: <code>{html.escape(entry.link)}</code><br>"
        f"Made again by: <code>{html.escape(command)}</code></p></section>"
    )
