"""JSON as all files have it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from explorer.session.versions import versions

__all__ = ["to_json", "versions"]


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
