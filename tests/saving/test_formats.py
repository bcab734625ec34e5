"""JSON as the standard has it."""

from __future__ import annotations

import json
from typing import Any

from explorer.saving.formats import to_json


def strictly(text: str) -> Any:
    """JSON as the standard has it: NaN and Infinity are errors."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_what_is_no_number_is_null() -> None:
    text = to_json({"a": [float("nan"), float("inf"), 0.1], "b": {"c": -float("inf")}})
    assert strictly(text) == {"a": [None, None, 0.1], "b": {"c": None}}
