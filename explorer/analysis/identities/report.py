"""The self-check in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.records import CapturedText, Identity
from explorer.records.source import truncation

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def failed(found: Sequence[Identity]) -> list[Identity]:
    """The identities that do not hold."""
    return [one for one in found if one.ok is False]


def verdict(model: str, found: Sequence[Identity]) -> str:
    """The result in one sentence, with how many identities do not apply."""
    applying, wrong = [one for one in found if one.ok is not None], failed(found)
    if not applying:
        return f"No identity applies to {model} on this text."
    if wrong:
        names = "; ".join(one.claim.title for one in wrong)
        verb = "does" if len(wrong) == 1 else "do"
        return f"{len(wrong)} of {len(applying)} identities {verb} not hold for {model} on this text: {names}."
    n_other = len(found) - len(applying)
    others = f"; {n_other} {'does' if n_other == 1 else 'do'} not apply" if n_other else ""
    if len(applying) == 1:
        return f"The one identity that applies holds for {model} on this text{others}."
    return f"All {len(applying)} identities{' that apply' if n_other else ''} hold for {model} on this text{others}."


def magnitude(number: float) -> str:
    """A number of any size with two significant digits: 3.1 × 10⁻⁷, 0.25, 0."""
    if math.isnan(number):
        return "no number"
    if math.isinf(number):
        return "infinite"
    if number == 0 or 1e-3 <= abs(number) < 1e3:
        return f"{number:.2g}"
    digits, power = f"{number:.1e}".split("e")
    digits = digits.removesuffix(".0")
    raised = f"10{str(int(power)).translate(_RAISED)}"
    return raised if digits == "1" else f"{digits} × {raised}"


def outcome(one: Identity) -> str:
    """Whether the identity holds, in words."""
    return {True: "holds", False: "fails", None: "does not apply"}[one.ok]


def where(one: Identity) -> str:
    """The place of the largest error; empty without one."""
    return str(one.place) if one.place and one.error else ""


def check_json(cap: CapturedText, found: Sequence[Identity], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every identity with its error and tolerance, and the settings.

    ``error`` and ``ok`` are None where an identity does not apply. A NaN error (null in a file)
    means that it fails, with ``ok`` False.
    """
    return {
        "kind": "check",
        "model": cap.model_name,
        "revision": cap.revision,
        "text": cap.text,
        "pair": cap.pair,
        "truncation": truncation(cap.stack(cap.stacks[-1])) or None,
        "ok": not failed(found),
        "verdict": verdict(cap.model_name, found),
        "identities": [_row(one) for one in found],
        "settings": dict(settings),
    }


def _row(one: Identity) -> dict[str, Any]:
    place = one.place
    return {
        "name": one.claim.name,
        "title": one.claim.title,
        "says": one.claim.statement,
        "formula": one.claim.formula,
        "error": one.error,
        "tolerance": one.tolerance,
        "ok": one.ok,
        "stack": place and place.stack,
        "layer": place and place.layer,
        "head": place and place.head,
        "state": place and place.state,
        "why_not": one.why_not or None,
        "note": one.note or None,
    }
