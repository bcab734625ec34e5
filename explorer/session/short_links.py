"""Short links: addresses that are too long to send, stored in the user's folder under a name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from platformdirs import user_state_path

_NAME = re.compile(r"[0-9a-f]{16}")
_SUFFIX = ".link"


def store(link: str, folder: Path | None = None) -> str:
    """Store an address and return its name; the same address has the same name.

    Raises:
        ValueError: the folder cannot be written.
    """
    folder = folder or _folder()
    name = hashlib.sha256(link.encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}{_SUFFIX}").write_text(link, encoding="utf-8")
    except OSError as error:
        raise ValueError(
            f"this view is too long for a link, and {folder} cannot be written "
            f"({error.strerror}): save it as a file instead"
        ) from None
    return name


def load(name: str, folder: Path | None = None) -> str:
    """The address that a name stands for.

    Raises:
        ValueError: there is none.
    """
    path = (folder or _folder()) / f"{name}{_SUFFIX}"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise ValueError(
            f"no view named {name[:40]} is stored here: open the link where it was made, or ask "
            "for the figure’s file, which holds all of it"
        )
    return path.read_text(encoding="utf-8")


def _folder() -> Path:
    return user_state_path("attention-explorer") / "views"
