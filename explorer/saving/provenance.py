"""What made a file: enough to make it again, carried inside each file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from explorer.figures.figure_style import FigureStyle
from explorer.saving.formats import versions

Provenance = dict[str, Any]


def provenance_of(
    kind: str,
    link: str,
    state: Mapping[str, Any],
    model: Mapping[str, Any],
    ending: str,
    drawn: Mapping[str, Any] | None = None,
) -> Provenance:
    """What a file tells of itself.

    Args:
        kind: of the view.
        link: the address that shows it.
        state: every setting of it.
        model: what is known of the loaded model: its revision, checksum, device and dtype; under
            "other" its name and the same of a second one.
        ending: of the file, without the dot.
        drawn: which of the view's figures is drawn and what of its looks was chosen; None where
            nothing is drawn.
    """
    loaded = {name: model[name] for name in ("device", "dtype") if model.get(name)}
    if revision := _pinned(model):
        loaded["revision"] = revision
    if revision := _pinned(model.get("other") or {}):
        loaded["other_revision"] = revision
    file, given = f"{'view' if drawn is None else 'figure'}.{ending}", dict(drawn or {})
    options = [f"--{_option(*one)}" for one in {"kind": kind, **loaded, **given}.items()]
    return {
        "kind": kind,
        "model": state["model"],
        **model,
        "settings": {name: value for name, value in state.items() if name != "model"},
        **({} if drawn is None else _figure_and_look(given)),
        "link": link,
        "python": [
            "import explorer",
            f"view = explorer.view({link!r}{_arguments({'kind': kind, **loaded})})",
            f"view.save({file!r}{_arguments(given)})",
        ],
        "command": shlex.join(["python", "-m", "explorer", "view", link, *options, "-o", file]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def revisions_in(record: Provenance) -> dict[str, str]:
    """The hub revision of each of a record's models that has one, by the model's name."""
    other = record.get("other")
    models = [*([other] if isinstance(other, dict) else []), record]
    return {str(told["model"]): pinned for told in models if (pinned := _pinned(told))}


def _pinned(model: Mapping[str, Any]) -> str:
    """A revision to ask for; a bundled model's is the package that is installed."""
    revision = str(model.get("revision") or "")
    return "" if "==" in revision else revision


def _figure_and_look(drawn: Mapping[str, Any]) -> dict[str, Any]:
    look = {name: value for name, value in drawn.items() if name != "figure"}
    return {"figure": drawn["figure"], "look": look}


def chosen_of(look: FigureStyle) -> dict[str, Any]:
    """What of a look is not as it is without a choice."""
    plain = asdict(FigureStyle())
    return {name: value for name, value in asdict(look).items() if value != plain[name]}


def _arguments(given: Mapping[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in given.items())


def _option(name: str, value: Any) -> str:
    name = name.replace("_", "-")
    if isinstance(value, bool):
        return name if value else f"no-{name}"
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
