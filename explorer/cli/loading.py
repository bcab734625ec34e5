"""A model for a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from explorer.cli.telling import progress

if TYPE_CHECKING:
    from explorer.session.session import Session


def session_with(name: str, device: str, dtype: str, revision: str | None, quiet: bool) -> Session:
    """A session with a model in it, for texts that are given as options.

    What the model does not read of them is refused.
    """
    from explorer.session.session import Session

    revisions = {name: revision} if revision else {}
    return _loaded(Session(device, dtype, revisions, drop_unread=False), name, quiet)


def session_of_view(name: str, device: str, dtype: str, revisions: Mapping[str, str], quiet: bool) -> Session:
    """A session with a model in it, for a view as the page has it: what is not read is left out."""
    from explorer.session.session import Session

    return _loaded(Session(device, dtype, revisions), name, quiet)


@contextmanager
def told(session: Session, quiet: bool) -> Iterator[None]:
    """A terminal is told how the session's work goes, whatever asks for it."""
    with progress(quiet, "making the view") as tell:
        session.progress = tell
        try:
            yield
        finally:
            session.progress = None


def _loaded(session: Session, name: str, quiet: bool) -> Session:
    """The session with the model in it; a terminal is told how its loading goes."""
    with progress(quiet, "loading") as tell:
        session.model(name, tell)
    return session
