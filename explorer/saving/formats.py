"""JSON as all files have them, and what they were made with."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from explorer import __version__


def versions() -> dict[str, str]:
    """What a result was made with: Python, this package and those it stands on."""
    packages = ("torch", "transformers", "numpy", "plotly")
    return {
        "python": platform.python_version(),
        "explorer": __version__,
        **{name: metadata.version(name) for name in packages},
    }


def to_json(result: Mapping[str, Any]) -> str:
    """JSON with one key a line; characters as they are, and null for what is no number."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)}"
        for key, value in result.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
