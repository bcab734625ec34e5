"""A model for a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.cli.telling import progress

if TYPE_CHECKING:
    from explorer.session import Session


def session_with(
    name: str,
    device: str,
    dtype: str,
    revision: str | None,
    quiet: bool,
    drop_unread: bool = False,
) -> Session:
    """A session with a model in it; a terminal is told how its loading goes.

    A second text or target that the model does not read is refused, for a person gave it as an
    option; with ``drop_unread`` it is left out, as on the page.
    """
    from explorer.session import Session

    session = Session(device, dtype, revision, drop_unread)
    with progress(quiet, "loading") as tell:
        session.model(name, tell)
    return session
