"""A model for a command, and what is told of it in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.cli.telling import progress

if TYPE_CHECKING:
    from explorer.models import LoadedModel
    from explorer.session import Session


def load(name: str, device: str, dtype: str, revision: str | None, quiet: bool) -> LoadedModel:
    """A model; a terminal is told how its loading goes."""
    from explorer.models import load_model

    with progress(quiet, "loading") as tell:
        return load_model(name, device, dtype, revision, progress=tell)


def session_with(name: str, device: str, dtype: str, revision: str | None, quiet: bool) -> Session:
    """A session with a model in it; a terminal is told how its loading goes."""
    from explorer.session import Session

    session = Session(device, dtype, revision, drop_unread=False)
    with progress(quiet, "loading") as tell:
        session.model(name, tell)
    return session


def settings_of(loaded: LoadedModel) -> dict[str, Any]:
    """What a file's ``settings`` say of the model."""
    return {"revision": loaded.revision, "device": loaded.device, "dtype": loaded.dtype}
