"""What made a file: enough to make it again, carried inside each file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from explorer.export.formats import versions
from explorer.figures.look import Look

Record = dict[str, Any]


def record_of(
    kind: str,
    link: str,
    state: Mapping[str, Any],
    model: Mapping[str, Any],
    figure: str = "",
    look: Look | None = None,
) -> Record:
    """What a file tells of itself.

    Args:
        kind: of the view.
        link: the address that shows it.
        state: every setting of it.
        model: what is known of the loaded model: its revision, checksum, device and dtype.
        figure: which of the view's figures is drawn; empty where there is none.
        look: how it is drawn; None where nothing is.
    """
    drawn = {} if look is None else {"figure": figure, "look": _chosen(look)}
    return {
        "kind": kind,
        "model": state["model"],
        **model,
        "settings": {name: value for name, value in state.items() if name != "model"},
        **drawn,
        "link": link,
        "python": _python(link, kind, model, figure, look),
        "command": _command(link, kind, model, figure, look),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def _chosen(look: Look) -> dict[str, Any]:
    """What of a look is not as it is without a choice."""
    plain = asdict(Look())
    return {name: value for name, value in asdict(look).items() if value != plain[name]}


def _python(
    link: str, kind: str, model: Mapping[str, Any], figure: str, look: Look | None
) -> list[str]:
    loaded = {name: model[name] for name in ("device", "dtype") if model.get(name)}
    given = "".join(f", {name}={value!r}" for name, value in loaded.items())
    file = "figure.svg" if look is not None else "view.json"
    how = {"figure": figure} | _chosen(look) if look is not None else {}
    told = "".join(f", {name}={value!r}" for name, value in how.items())
    return [
        "import explorer",
        f"view = explorer.view({link!r}, kind={kind!r}{given})",
        f"view.save({file!r}{told})",
    ]


def _command(link: str, kind: str, model: Mapping[str, Any], figure: str, look: Look | None) -> str:
    options: dict[str, Any] = {"kind": kind}
    options |= {name: model[name] for name in ("device", "dtype") if model.get(name)}
    if look is not None:
        options |= {"figure": figure} | _chosen(look)
    told = [f"--{_option(name, value)}" for name, value in options.items()]
    file = "figure.svg" if look is not None else "view.json"
    return shlex.join(["python", "-m", "explorer", "view", link, *told, "-o", file])


def _option(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"no-{name}"
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
