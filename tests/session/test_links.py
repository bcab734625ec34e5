"""A view as an address and back."""

from __future__ import annotations

import pytest

from explorer.session.links import given_in, link_to, path_of
from explorer.session.settings import parse_settings

DEFAULTS = {"text": "A cat.", "layer": 0, "threshold": 0.05, "special": True, "heads": ""}


def test_defaults_are_left_out() -> None:
    assert link_to("/", DEFAULTS, DEFAULTS) == "/"
    changed = DEFAULTS | {"layer": 3, "special": False, "heads": "1.2,3.4"}
    assert link_to("/", changed, DEFAULTS) == "/?layer=3&special=false&heads=1.2%2C3.4"


@pytest.mark.parametrize(
    "text", ["a & b = c?", "tab\there", "שלום 👩‍👩‍👧 平和", "100 % + 1", "a\nb", "#tag /path", ""]
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    link = link_to("/inside", DEFAULTS | {"text": text}, DEFAULTS)
    assert parse_settings(given_in(link), DEFAULTS)[0]["text"] == text
    assert path_of(link) == "/inside"
