"""Pages made by Jinja2; each template is in the folder of the module that fills it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PACKAGE = Path(__file__).parents[1]
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_PACKAGE),
    autoescape=True,  # a user's text never becomes markup
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(beside: str, name: str, **values: Any) -> str:
    """The template ``name``.html.j2 with its values filled in, text escaped.

    ``beside`` is the ``__file__`` of a module in the template's folder.
    """
    path = Path(beside).with_name(f"{name}.html.j2").relative_to(_PACKAGE)
    return _ENVIRONMENT.get_template(path.as_posix()).render(values)
