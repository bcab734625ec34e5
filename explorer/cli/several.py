"""One text or many: what a command makes of each, written one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from explorer.cli.reading import GivenText
from explorer.cli.telling import complain, progress
from explorer.cli.writing import Outlet

if TYPE_CHECKING:
    from explorer.capture.loading import Progress

Make = Callable[[GivenText, "Progress | None"], str | bytes]


def write_each(texts: Sequence[GivenText], outlet: Outlet, make: Make, quiet: bool) -> None:
    """Write what is made of each text; one that cannot be read does not keep the others.

    Args:
        texts: what is read.
        outlet: where it goes.
        make: gives a file's content, and tells how its making goes.
        quiet: tell nothing but errors.

    Raises:
        ValueError: of the one text, or the same of all of several: bad use.
        ModelError: of the one text.
        typer.Exit: some of several texts were not written; which was said.
    """
    from explorer.records import ModelError

    failed: list[tuple[GivenText, Exception]] = []
    # On one terminal a bar and the results would be in each other's way.
    shown_there = outlet.paths[0] is None and sys.stdout.isatty() and len(texts) > 1
    with progress(quiet or shown_there, "reading") as tell:
        for i, text in enumerate(texts):
            try:
                content = make(text, _share(tell, i, len(texts)))
            except (ValueError, ModelError) as error:
                if len(texts) == 1:
                    raise
                failed.append((text, error))
            else:
                outlet.write(i, content)
    if not failed:
        return
    first = failed[0][1]
    if len(failed) == len(texts) and all(str(one) == str(first) for _, one in failed):
        raise first
    for text, reason in failed:
        complain(f"{text.place}{reason}")
    raise typer.Exit(1)


def _share(tell: Progress | None, done: int, count: int) -> Progress | None:
    """What tells of the work on one text of several, as a share of all of it."""
    if tell is None or count == 1:
        return tell
    tell(f"text {done + 1} of {count}", done / count)
    return lambda _sentence, share: tell(f"text {done + 1} of {count}", (done + (share or 0.0)) / count)
