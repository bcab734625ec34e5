"""Pages put together by Jinja2: each template stands beside the module that fills it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PACKAGE = Path(__file__).parents[1]
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_PACKAGE),
    autoescape=True,  # whatever a text holds stays text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(beside: str, name: str, **values: Any) -> str:
    """A template with its values filled in.

    Args:
        beside: ``__file__`` of the module that the template stands beside.
        name: the template's, without its ending .html.j2.
        values: by the names that the template has for them; text is escaped.
    """
    path = Path(beside).with_name(f"{name}.html.j2").relative_to(_PACKAGE)
    return _ENVIRONMENT.get_template(path.as_posix()).render(values)
