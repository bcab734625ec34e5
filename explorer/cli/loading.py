"""A model for a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.cli.telling import progress

if TYPE_CHECKING:
    from explorer.session import Session


def session_with(name: str, device: str, dtype: str, revision: str | None, quiet: bool) -> Session:
    """A session with a model in it; a terminal is told how its loading goes."""
    from explorer.session import Session

    session = Session(device, dtype, revision, drop_unread=False)
    with progress(quiet, "loading") as tell:
        session.model(name, tell)
    return session
