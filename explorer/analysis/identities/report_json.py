"""The self-check as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.analysis.identities.report import failed, verdict
from explorer.records import CapturedText, Identity
from explorer.records.source import truncation


def check_json(cap: CapturedText, found: Sequence[Identity], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Every identity with its error and tolerance, and all that made it.

    ``error`` and ``ok`` are None where an identity does not apply. Where it fails for want of a
    number, ``error`` is no number (null in a file) and ``ok`` False.
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
        "says": one.claim.says,
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
