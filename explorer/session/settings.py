"""Settings: frozen dataclasses whose fields have a type, a default, choices and a line of help.

Links, files, the fields of a page, the command line and the documentation read them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

Value = str | int | float | bool
State = dict[str, Value]


def setting(
    default: Any, help: str, choices: Collection[Any] = (), low: float | None = None, high: float | None = None
) -> Any:
    """A field of a ``Settings`` class.

    Args:
        default: its value where nothing is said; its type is the setting's.
        help: one line that says what it does.
        choices: the values it may have; empty: any.
        low: the least value it may have.
        high: the greatest.
    """
    return field(default=default, metadata={"help": help, "choices": tuple(choices), "low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """What a view is computed from. Subclasses add fields with ``setting``; all are flat."""

    @classmethod
    def defaults(cls) -> dict[str, Value]:
        """The default of every setting, by name, in the order that addresses have them."""
        return {one.name: one.default for one in fields(cls)}  # type: ignore[misc]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The settings that are named among these values; what is not named has its default."""
        return cls(**{name: values[name] for name in cls.defaults() if name in values})

    @classmethod
    def help_of(cls, name: str) -> str:
        """The line of help of a setting."""
        return next(str(one.metadata.get("help", "")) for one in fields(cls) if one.name == name)

    @classmethod
    def choices_of(cls, name: str) -> tuple[Value, ...]:
        """The values that a setting may have; empty: any."""
        return next(tuple(one.metadata.get("choices", ())) for one in fields(cls) if one.name == name)

    def as_dict(self) -> dict[str, Value]:
        """Every setting by name."""
        return asdict(self)

    def in_json(self) -> dict[str, Any]:
        """Every setting by name, as a view's JSON has it; a subclass writes out what stands for more."""
        return dict(self.as_dict())

    def check(self) -> Self:
        """These settings, if every value is one that its field may have.

        Raises:
            ValueError: a value that is not among the choices, or out of range.
        """
        for one in fields(self):
            value, choices = getattr(self, one.name), one.metadata.get("choices")
            low, high = one.metadata.get("low"), one.metadata.get("high")
            if choices and value not in choices:
                raise ValueError(f"{one.name}={value} is not a choice: use {', '.join(map(str, choices))}")
            if (low is not None and not value >= low) or (high is not None and not value <= high):  # NaN is neither
                limits = [f"{limit:,}" for limit in (low, high) if limit is not None]
                allowed = (
                    " to ".join(limits) if len(limits) == 2 else f"{limits[0]} or {'more' if high is None else 'less'}"
                )
                raise ValueError(f"{one.name} {value:g} is out of range: use {allowed}")
        return self


def parse_settings(
    given: Mapping[str, str], defaults: Mapping[str, Value], known: Iterable[str] = ()
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Settings as an address or a file writes them, and remarks on what is not understood.

    Args:
        given: the values as text, by name.
        defaults: every setting; a default tells its type and stands where nothing is said.
        known: names that are no mistake, though no setting has them.
    """
    values, remarks = dict(defaults), []
    for name, default in defaults.items():
        if name not in given:
            continue
        try:
            values[name] = read_value(given[name], default)
        except ValueError:
            remarks.append(
                f"the address says {name}={given[name][:40]}, which is not a value of it: "
                f"{written(default) or 'none'} is used"
            )
    unknown = sorted(set(given) - set(defaults) - set(known))
    if unknown:
        remarks.append(
            f"the address has settings that this version does not know ({', '.join(unknown)}): "
            "it may come from a newer one; all else is shown"
        )
    return values, tuple(remarks)


def written(value: Value) -> str:
    """A value as an address writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_value(text: str, default: Value) -> Value:
    """A value of the type that the default has.

    Raises:
        ValueError: the text is no such value.
    """
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return type(default)(text)
