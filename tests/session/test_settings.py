"""Settings: what is written is read again, and what cannot be had is refused or remarked upon."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass

import pytest

from explorer.session.requests import TextRequest
from explorer.session.settings import Settings, parse_settings, setting


@dataclass(frozen=True)
class Example(Settings):
    text: str = setting("A cat.", "The text.")
    layer: int = setting(0, "The layer.", low=0, high=3)
    threshold: float = setting(0.05, "The least weight.")
    special: bool = setting(True, "Special tokens.")
    method: str = setting("pca", "The method.", ("pca", "tsne"))


def test_fields_say_default_choices_and_help() -> None:
    assert Example.defaults() == {"text": "A cat.", "layer": 0, "threshold": 0.05, "special": True, "method": "pca"}
    assert Example.help_of("threshold") == "The least weight."
    assert Example.choices_of("method") == ("pca", "tsne")
    assert Example.choices_of("text") == ()


def test_other_values_are_passed_over() -> None:
    settings = Example.of({"layer": 2, "another": 1})
    assert settings == Example(layer=2)
    assert settings.as_dict()["layer"] == 2
    with pytest.raises(FrozenInstanceError):
        settings.layer = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "umap"}, "method=umap is not a choice: use pca, tsne"),
        ({"layer": 4}, "layer 4 is out of range: use 0 to 3"),
        ({"layer": -1}, "layer -1 is out of range: use 0 to 3"),
    ],
)
def test_what_a_field_cannot_have_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        Example.of(values).check()
    assert Example().check() == Example()


def test_values_have_the_type_of_the_default() -> None:
    given = {"layer": "4", "threshold": "0.25", "special": "false"}
    values, remarks = parse_settings(given, Example.defaults())
    assert values == Example.defaults() | {"layer": 4, "threshold": 0.25, "special": False}
    assert remarks == ()


@pytest.mark.parametrize("wrong", ["layer=two", "threshold=x", "special=yes", "layer=1.5"])
def test_nonsense_is_remarked_upon_and_the_rest_is_read(wrong: str) -> None:
    name, _, value = wrong.partition("=")
    values, (remark,) = parse_settings({name: value, "method": "tsne"}, Example.defaults())
    assert values == Example.defaults() | {"method": "tsne"}
    assert wrong in remark


def test_what_a_newer_version_writes_is_remarked_upon() -> None:
    given = {"layer": "2", "hologram": "true", "zoomed": "3", "count": "1"}
    values, (remark,) = parse_settings(given, Example.defaults(), {"count"})
    assert values["layer"] == 2
    assert "hologram, zoomed" in remark
    assert "newer" in remark


def test_a_request_is_the_text_alone() -> None:
    @dataclass(frozen=True)
    class More(TextRequest):
        layer: int = setting(0, "The layer.")

    one, other = More(text="A dog.", layer=1), More(text="A dog.", layer=2)
    assert one.request == other.request == TextRequest(text="A dog.")
    assert hash(one.request) == hash(TextRequest(text="A dog."))
