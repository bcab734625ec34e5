"""A state as an address: the path of a page and its settings, defaults left out.

The browser's address bar, the files and the command line tell a view in these words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Value = str | int | float | bool
State = dict[str, Value]

# What an address may say beside a view's own settings: how the page around it looks.
AROUND = frozenset(["theme", "present", "step", "saved", "kind"])


@dataclass(frozen=True)
class Parsed:
    """What an address says, and what of it is not understood, in words."""

    state: State
    remarks: tuple[str, ...]


def link_to(path: str, state: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    """The address of a state: what differs from the defaults, in the defaults' order."""
    told = {name: written(state[name]) for name in defaults if state[name] != defaults[name]}
    query = urlencode(told, quote_via=quote)
    return f"{path}?{query}" if query else path


def written(value: Value) -> str:
    """A value as an address writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def path_of(link: str) -> str:
    """The page that an address is of: its first part, as "/inside"."""
    return f"/{urlsplit(link).path.strip('/').partition('/')[0]}"


def given_in(link: str) -> dict[str, str]:
    """Every setting of an address as it is written; of a repeated one the last."""
    return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))


def parse(given: Mapping[str, str], defaults: Mapping[str, Value], known: Iterable[str] = ()) -> Parsed:
    """A state out of an address's settings; the defaults where it says nothing or nonsense.

    Args:
        given: as ``given_in`` reads them.
        defaults: every setting, whose default tells its type.
        known: settings of other views, which are no mistake.
    """
    state, remarks = dict(defaults), []
    for name, default in defaults.items():
        if name not in given:
            continue
        try:
            state[name] = _read(given[name], default)
        except ValueError:
            remarks.append(
                f"the address says {name}={given[name][:40]}, which is no value of it: "
                f"{written(default) or 'none'} is taken"
            )
    unknown = sorted(set(given) - set(defaults) - set(known) - AROUND)
    if unknown:
        remarks.append(
            f"the address has settings that this version does not know ({', '.join(unknown)}): "
            "it may come from a newer one; all else is shown"
        )
    return Parsed(state, tuple(remarks))


def _read(text: str, default: Value) -> Value:
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        return float(text)
    return text
