"""A view made again from the file it was saved in, and whether its numbers agree."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.saving.formats import to_json, versions
from explorer.saving.metadata import read_provenance
from explorer.saving.provenance import Provenance
from explorer.session.requests import ModelRequest
from explorer.session.session import Session
from explorer.session.settings import parse_settings, written
from explorer.views.registry import VIEWS, setting_names
from explorer.views.spec import ComputedView, ViewSpec

MOST_APART = 1e-4
# What differs from run to run, and says nothing of the numbers.
_OF_THE_RUN = frozenset(["versions", "provenance", "settings", "revision"])


@dataclass(frozen=True)
class Remade:
    """A view made again.

    Attributes:
        view: the view.
        difference: the largest between two numbers at the same place; infinite where one is
            undefined and the other is not.
        where: the place, as "attention[3][2]"; empty where all are alike.
        mismatches: places whose words differ, or that only one of the two has.
        remarks: what is not as it was: another version, revision, checksum, device.
    """

    view: ComputedView
    difference: float
    where: str
    mismatches: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether it is the same view within 1e-4."""
        return not self.mismatches and self.difference <= MOST_APART


def view_and_settings(record: Provenance, name: str) -> tuple[ViewSpec, ModelRequest, tuple[str, ...]]:
    """What a file's record says it is of, and what of it is not understood, in words.

    Raises:
        ValueError: a kind this version does not know.
    """
    kind = VIEWS.get(record["kind"])
    if kind is None:
        raise ValueError(
            f"{name} is a view of the kind '{record['kind']}', which this version does not know: "
            f"it may come from a newer one; known are {', '.join(VIEWS)}"
        )
    told = {"model": record["model"], **record["settings"]}
    given = {setting: written(value) for setting, value in told.items()}
    values, remarks = parse_settings(given, kind.settings.defaults(), setting_names())
    return kind, kind.settings.of(values), tuple(line.replace("the address", name, 1) for line in remarks)


def opened(data: bytes, name: str) -> tuple[dict[str, Any], Provenance]:
    """The numbers of a JSON file and its record.

    Raises:
        ValueError: it is no JSON that was saved here.
    """
    try:
        before = json.loads(data)
    except ValueError:
        raise ValueError(f"{name} is no JSON: only what was saved as JSON is compared") from None
    return before, read_provenance(data, name)


def remake(session: Session, data: bytes, name: str) -> Remade:
    """Make the view of a JSON file again, and compare.

    Raises:
        ValueError: the file is no JSON that was saved here, or of an unknown kind.
        ModelError: the model cannot be loaded or failed.
    """
    before, record = opened(data, name)
    kind, state, unknown = view_and_settings(record, name)
    view = kind.make(session, state)
    # Through JSON, as the first was: the same roundings, null for what is no number.
    now = json.loads(to_json(view.result()))
    difference, where, mismatches = 0.0, "", []
    for place, one, other in _pairs(before, now, ""):
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            if abs(one - other) > difference:
                difference, where = abs(one - other), place
        elif one != other:
            undefined = {type(one), type(other)} <= {int, float, type(None)}
            if undefined:
                difference, where = math.inf, place
            mismatches.append(place)
    remarks = (*unknown, *_remarks(session, record))
    return Remade(view, difference, where, tuple(mismatches), remarks)


def _pairs(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """What stands at the same place of two results, leaf by leaf; None where one has nothing."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            if place or key not in _OF_THE_RUN:
                inner = f"{place}.{key}" if place else key
                yield from _pairs(one.get(key), other.get(key), inner)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _pairs(left, right, f"{place}[{number}]")
    else:
        yield place, one, other


def _remarks(session: Session, record: Provenance) -> Iterator[str]:
    """What is not as it was."""
    models = [record, *([record["other"]] if isinstance(record.get("other"), dict) else [])]
    for told in models:
        now = session.provenance(str(told["model"]))
        for what in ("checksum", "revision", "device", "dtype"):
            if told.get(what) != now[what]:
                yield f"{what}: {told.get(what)} then, {now[what]} now"
    current = versions()
    for package, version in dict(record.get("versions") or {}).items():
        if current.get(package) != version:
            yield f"{package}: {version} then, {current.get(package)} now"
