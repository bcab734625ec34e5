"""The self-check in words: a verdict, and numbers as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from explorer.records import Identity

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def failed(found: Sequence[Identity]) -> list[Identity]:
    """Those that do not hold."""
    return [one for one in found if one.ok is False]


def verdict(model: str, found: Sequence[Identity]) -> str:
    """All of it in one sentence, which says as well what could not be checked."""
    applying, wrong = [one for one in found if one.ok is not None], failed(found)
    if not applying:
        return f"No identity applies to {model} on this text."
    if wrong:
        names = "; ".join(one.claim.title for one in wrong)
        verb = "does" if len(wrong) == 1 else "do"
        return f"{len(wrong)} of {len(applying)} identities {verb} not hold for {model} on this text: {names}."
    left = len(found) - len(applying)
    rest = f"; {left} {'does' if left == 1 else 'do'} not apply" if left else ""
    if len(applying) == 1:
        return f"The one identity that applies holds for {model} on this text{rest}."
    some = " that apply" if left else ""
    return f"All {len(applying)} identities{some} hold for {model} on this text{rest}."


def magnitude(number: float) -> str:
    """A number of any size in two digits: 3.1 × 10⁻⁷, 0.25, 0."""
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
    """Whether it holds, in a word or two."""
    return {True: "holds", False: "fails", None: "does not apply"}[one.ok]


def where(one: Identity) -> str:
    """Where the error is largest; nothing where there is none."""
    return str(one.place) if one.place and one.error else ""
