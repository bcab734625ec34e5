"""What a person at a terminal is told; all of it goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.capture.loading import Progress


@contextmanager
def progress(quiet: bool, doing: str) -> Iterator[Progress | None]:
    """A bar of how work goes: what is done, its share, the time left. It is wiped in the end.

    Only a terminal sees it. While no share is known the bar only shows that work goes on.

    Args:
        quiet: tell nothing.
        doing: what the line says first.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as parts  # slow to import, and only needed here
    from rich.console import Console

    with parts.Progress(
        parts.TextColumn("{task.description}", markup=False),
        parts.BarColumn(),
        parts.TaskProgressColumn(),
        parts.TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # what was asked for goes there, as it is
    ) as bar:
        bar.add_task(doing, total=None)
        (task,) = bar.tasks

        def tell(sentence: str, share: float | None) -> None:
            total = None if share is None else 1.0
            if share is None or share < task.completed:  # other work has begun
                bar.reset(task.id, total=total, completed=0, description=sentence)
            task.total = total
            bar.update(task.id, description=sentence, completed=share or 0.0)

        yield tell


def sayer(quiet: bool, place: str = "") -> Callable[[str], None]:
    """What says a line to the person, or nothing where quiet was asked for.

    Args:
        quiet: say nothing.
        place: what each line begins with: which of several texts it is of.
    """
    if quiet:
        return lambda _line: None
    return lambda line: print(f"{place}{line}", file=sys.stderr)


def say_cut(say: Callable[[str], None], truncation: str) -> None:
    """Say what of a longer text is read, where it is not all of it."""
    if truncation:
        say(f"truncated: {truncation}")


def complain(message: str) -> None:
    """Say what went wrong, in one line."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
