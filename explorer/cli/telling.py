"""What a person at a terminal is told; all of it goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from explorer.models import Progress


@contextmanager
def progress(quiet: bool, doing: str) -> Iterator[Progress | None]:
    """How work goes, in one line that is wiped in the end; only a terminal sees it.

    Args:
        quiet: tell nothing.
        doing: what the line says first.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with Console(stderr=True).status(doing) as status:

        def tell(sentence: str, share: float | None) -> None:
            status.update(sentence if share is None else f"{sentence} {share:.0%}")

        yield tell


def sayer(quiet: bool) -> Callable[[str], None]:
    """What says a line to the person, or nothing where quiet was asked for."""
    return (lambda _line: None) if quiet else (lambda line: print(line, file=sys.stderr))
