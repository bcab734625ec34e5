"""What a lesson claims of a model's numbers, as a line that can be checked.

``attention layer=0 head=1 query=apple key=phone at least 0.6``: a name, its arguments, and for
a claim of a number what it is compared with. tests/claims.py works the claims out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

_RELATIONS = {("at", "least"): "at least", ("at", "most"): "at most", ("is",): "is"}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_COUNTED = ("layer", "head", "axis", "one", "other_place", "heads", "length", "bytes")


@dataclass(frozen=True)
class Kind:
    """A kind of claim: its arguments, those that may be left out, whether it is of a number."""

    arguments: tuple[str, ...]
    optional: tuple[str, ...] = ()
    compared: bool = True


_CELL = ("layer", "head", "query", "key")

KINDS = {
    # weights
    "attention": Kind(_CELL),
    "masked": Kind(_CELL, compared=False),
    "strongest": Kind(_CELL, compared=False),
    "measure": Kind(("name", "layer", "head")),
    "leads": Kind(("name", "layer", "head"), compared=False),
    "count": Kind(("name", "over")),
    # one head by hand
    "score": Kind(_CELL),
    "scaled": Kind(_CELL),
    "unscaled_weight": Kind(_CELL),
    "contribution": Kind(_CELL),
    "value_norm": Kind(("layer", "head", "key")),
    "head_output": Kind(("layer", "head", "query")),
    # vectors
    "cosine": Kind(("layer", "word"), ("other", "other_text")),
    "norm": Kind(("layer", "word")),
    "static_cosine": Kind(("word", "other")),
    "static_dot": Kind(("word", "other")),
    "static_norm": Kind(("word",)),
    "static_rank": Kind(("word", "other")),
    "position_cosine": Kind(("one", "other_place")),
    # a word in a ready set's sentences
    "separation": Kind(("set", "layer")),
    "explained": Kind(("set", "layer", "axis")),
    "plane_separation": Kind(("set", "layer")),
    # the model
    "pieces": Kind(("word",)),
    "tokens": Kind(()),
    "config": Kind(("name",)),
    "cache_mb": Kind(("length", "bytes"), ("heads",)),
}


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        name: one of ``KINDS``.
        model, text: of what it is said; a pair of texts is parted by a bar.
        arguments: by name.
        relation: "at least", "at most", "is", or "" for a claim that is true or not.
        number: as the lesson writes it.
    """

    name: str
    model: str
    text: str
    arguments: Mapping[str, str]
    relation: str
    number: str

    def holds(self, found: float | bool) -> bool:
        """Whether what was found bears the claim out; "is" means so when rounded."""
        if not self.relation:
            return found is True
        wanted = float(self.number)
        if self.relation == "is":
            digits = len(self.number.partition(".")[2])
            return abs(found - wanted) <= 0.51 * 10**-digits
        return found >= wanted if self.relation == "at least" else found <= wanted


def parse_claim(line: str, model: str, text: str) -> Claim:
    """Read a claim; ``model`` and ``text`` are those of its step, where it names none.

    Raises:
        ValueError: an unknown name, a missing or unknown argument, a layer or head that is no
            number, or no comparison where one is due.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        raise ValueError("a quote of the claim is never closed") from None
    name = words[0] if words else ""
    if name not in KINDS:
        raise ValueError(f"unknown claim “{name}”: use {', '.join(KINDS)}")
    given = [word.partition("=") for word in words[1:] if "=" in word]
    arguments = {key: value for key, _, value in given}
    kind = KINDS[name]
    _check_arguments(name, kind, arguments)
    relation, number = _comparison(name, kind, [word for word in words[1:] if "=" not in word])
    model, text = arguments.pop("model", model), arguments.pop("text", text)
    return Claim(name, model, text, arguments, relation, number)


def _check_arguments(name: str, kind: Kind, given: Mapping[str, str]) -> None:
    missing = [key for key in kind.arguments if not given.get(key)]
    if missing:
        raise ValueError(f"the claim “{name}” needs {', '.join(f'{key}=…' for key in missing)}")
    known = (*kind.arguments, *kind.optional, "model", "text")
    for key, value in given.items():
        if key not in known:
            raise ValueError(f"the claim “{name}” knows no “{key}”: use {', '.join(known)}")
        if key in _COUNTED and not value.isdecimal():
            raise ValueError(f"{key} must be a number counted from 0, not “{value}”")


def _comparison(name: str, kind: Kind, words: list[str]) -> tuple[str, str]:
    if not kind.compared:
        if words:
            raise ValueError(f"the claim “{name}” is true or not: leave out “{' '.join(words)}”")
        return "", ""
    relation = _RELATIONS.get(tuple(words[:-1]))
    if relation is None or not _NUMBER.fullmatch(words[-1]):
        raise ValueError(f"the claim “{name}” must end in “at least”, “at most” or “is” and a number")
    return relation, words[-1]
