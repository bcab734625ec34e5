"""A state as an address and back, and what an address says that is not understood."""

from __future__ import annotations

import pytest

from explorer.session.links import given_in, link_to, path_of
from explorer.session.settings import parse_settings
from explorer.views.registry import KINDS, SETTINGS, asked_of, state_for

DEFAULTS = {"text": "A cat.", "layer": 0, "threshold": 0.05, "special": True, "set": ""}


def test_what_is_as_it_begins_is_left_out() -> None:
    assert link_to("/", DEFAULTS, DEFAULTS) == "/"
    changed = DEFAULTS | {"layer": 3, "special": False, "set": "1.2,3.4"}
    assert link_to("/", changed, DEFAULTS) == "/?layer=3&special=false&set=1.2%2C3.4"


@pytest.mark.parametrize(
    "text", ["a & b = c?", "tab\there", "שלום 👩‍👩‍👧 平和", "100 % + 1", "a\nb", "#tag /path", ""]
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    link = link_to("/inside", DEFAULTS | {"text": text}, DEFAULTS)
    assert parse(given_in(link), DEFAULTS).state["text"] == text
    assert path_of(link) == "/inside"


def test_numbers_and_switches_have_their_type() -> None:
    given = given_in("/?layer=4&threshold=0.25&special=false")
    assert parse(given, DEFAULTS).state == DEFAULTS | {"layer": 4, "threshold": 0.25, "special": False}


@pytest.mark.parametrize("wrong", ["layer=two", "threshold=x", "special=yes", "layer=1.5"])
def test_nonsense_is_said_and_the_rest_is_shown(wrong: str) -> None:
    found = parse(given_in(f"/?{wrong}&set=1.2"), DEFAULTS)
    name = wrong.partition("=")[0]
    assert found.state == DEFAULTS | {"set": "1.2"}
    assert len(found.remarks) == 1
    assert wrong in found.remarks[0] and f"{name}=" in found.remarks[0]


def test_a_newer_link_is_shown_as_far_as_it_is_known() -> None:
    found = parse(given_in("/?layer=2&hologram=true&zoomed=3&theme=dark"), DEFAULTS)
    assert found.state["layer"] == 2
    (said,) = found.remarks
    assert "hologram, zoomed" in said
    assert "newer" in said
    assert "theme" not in said


def test_settings_of_other_views_are_no_mistake() -> None:
    assert parse({"count": "3"}, DEFAULTS, {"count"}).remarks == ()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_comes_back_from_its_own_address(kind) -> None:
    """Each setting changed at once: the address holds them all, and names the kind's own view."""
    changed = {
        name: not value if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else value + 1
        for name, value in kind.defaults.items()
    }
    state = state_for(kind, changed)
    link = kind.link(state)
    found = parse(given_in(link), kind.defaults, SETTINGS)
    assert found.state == state
    assert found.remarks == ()
    assert asked_of(link)[0].path == kind.path
    assert asked_of(link)[0].mode == kind.mode
    assert asked_of(f"{link}{'&' if '?' in link else '?'}kind={kind.name}")[0] is kind


def test_a_path_without_views_is_refused() -> None:
    with pytest.raises(ValueError, match="/nowhere is no page with a view to save: use /"):
        asked_of("/nowhere?layer=2")


def test_settings_that_pages_share_begin_alike() -> None:
    begun: dict[tuple[str, str], object] = {}
    for kind in KINDS.values():
        for name, value in kind.defaults.items():
            assert begun.setdefault((kind.path, name), value) == value, (kind.name, name)
