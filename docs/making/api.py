"""The page of the Python interface: every public name of ``explorer``, with all it has."""

from __future__ import annotations

import inspect
from functools import cached_property
from types import ModuleType
from typing import Any

import explorer
from docs.making.markdown import anchor, bullets, code, docstring, document, plain
from explorer import records
from explorer.analysis.measures import Measure
from explorer.text.tokens import TextTooLong

_OPENING = """\
# Python

```python
import explorer
```

Layers and heads count from 0. Arrays are numpy, float32 unless said otherwise, and their shapes are
written with these letters: N tokens, Q queries, K keys, L layers, H heads, D the residual stream’s
width, d a head’s. Bad input is a `ValueError` that says what was given and what would be right; a
model that cannot be loaded or captured is a `ModelError`; both are one line.

In signatures `CapturedText` is what a `Capture` is to a measure; `FloatArray`, `IntArray` and
`BoolArray` are numpy arrays; `Progress` is a function that is called with a sentence and a share of
1, or None, as work goes on, and what it raises ends the work.
[Quick start](quick-start.md#from-python) has examples."""

_FOUND = """\
## What they give

Records that the above return or take: frozen, and numpy only."""

# A forge tells titles apart without regard to case, and there is a function "capture".
_BEFORE_CLASS = "class "

# What a reader of this page meets in signatures and attributes, and cannot look up otherwise.
RECORDS = (
    Measure,
    records.Null,
    records.BestOffsets,
    records.Tokens,
    records.StackInfo,
    records.ScoreParts,
    TextTooLong,
)


def page() -> str:
    names = [name for name in explorer.__all__ if name != "MEASURES"]
    public = {name: getattr(explorer, name) for name in names}
    functions = [name for name, thing in public.items() if inspect.isfunction(thing)]
    classes = [name for name, thing in public.items() if inspect.isclass(thing)]
    modules = [name for name, thing in public.items() if inspect.ismodule(thing)]
    return document(
        _OPENING,
        _contents(functions, classes, modules),
        "## Functions",
        *(_function(name, public[name]) for name in functions),
        _measures(),
        *(_module(name, public[name]) for name in modules),
        "## Classes",
        *(_class(name, public[name]) for name in classes),
        _FOUND,
        *(_class(record.__name__, record) for record in RECORDS),
    )


def _contents(functions: list[str], classes: list[str], modules: list[str]) -> str:
    def links(names: list[str], before: str = "") -> str:
        return ", ".join(f"[`{name}`](#{anchor(before + name)})" for name in names)

    return bullets(
        [
            f"Functions: {links(functions)}",
            f"Measures: {links(['MEASURES'])}",
            f"Modules: {links(modules)}",
            f"Classes: {links(classes, _BEFORE_CLASS)}",
            f"What they give: {links([record.__name__ for record in RECORDS], _BEFORE_CLASS)}",
        ]
    )


def _measures() -> str:
    names = ", ".join(f"[`{name}`](measures.md#{anchor(name)})" for name in explorer.MEASURES)
    return f"## MEASURES\n\nThe [measures](measures.md) of heads by name, each a [`Measure`](#class-measure): {names}."


def _module(name: str, module: ModuleType) -> str:
    functions = (_function(f"{name}.{function}", getattr(module, function)) for function in module.__all__)
    return "\n\n".join([f"## {name}", docstring(module), *functions])


def _class(name: str, described: type) -> str:
    parts = [f"### {_BEFORE_CLASS}{name}", docstring(described)]
    if issubclass(described, Exception):
        parts.append(f"It is a `{described.__bases__[0].__name__}`.")
    members = {
        member: inspect.getattr_static(described, member) for member in vars(described) if not member.startswith("_")
    }
    properties = {one: found for one, found in members.items() if isinstance(found, property | cached_property)}
    if properties:
        told = bullets(f"{code(one)}: {_line(found)}" for one, found in properties.items())
        parts.append(f"**Properties**\n\n{told}")
    for member, found in members.items():
        if inspect.isfunction(found):
            parts.append(_function(f"{name}.{member}", found))
    return "\n\n".join(parts)


def _line(thing: Any) -> str:
    """A docstring as one paragraph, for a list."""
    return plain(" ".join((inspect.getdoc(thing) or "").split()).replace("``", "`"))


def _function(name: str, function: Any) -> str:
    level = "####" if name[0].isupper() else "###"
    return f"{level} {name}\n\n```python\n{_signature(name, function)}\n```\n\n{docstring(function)}"


def _signature(name: str, function: Any) -> str:
    """How a function is called: a parameter a line where one line would be too long."""
    signature = inspect.signature(function)
    taken, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            taken.append("*")
            starred = True
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        taken.append(f"{parameter.name}: {parameter.annotation}{default}".replace("'", '"'))
    returned = f" -> {signature.return_annotation}"
    line = f"{name}({', '.join(taken)}){returned}"
    if len(line) <= 90:
        return line
    return f"{name}(\n" + "".join(f"    {one},\n" for one in taken) + f"){returned}"
