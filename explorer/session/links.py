"""A view as an address: the path of its page and its settings, defaults left out.

The browser's address bar, files and the command line name a view in this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from explorer.session import short_links
from explorer.session.settings import Value, written

# What an address may have beside a view's own settings: how the page around it looks.
AROUND = frozenset(["theme", "present", "step", "saved", "kind", "mode"])
LONGEST = 2000  # characters that mails, chats and forms let through


def link_to(path: str, values: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    """The address of a path and its settings: those that are not the defaults, in their order."""
    given = {name: written(values[name]) for name in defaults if values[name] != defaults[name]}
    query = urlencode(given, quote_via=quote)
    return f"{path}?{query}" if query else path


def path_of(link: str) -> str:
    """The page of an address: its first part, as "/inside"."""
    return f"/{urlsplit(link).path.strip('/').partition('/')[0]}"


def given_in(link: str) -> dict[str, str]:
    """Every setting of an address as it is written; the last of a repeated one."""
    return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))


def settings_in(link: str) -> dict[str, str]:
    """Every setting of an address, those of a short link from what its name stands for.

    Raises:
        ValueError: no link of that name is stored here.
    """
    given = given_in(link)
    if "saved" not in given:
        return given
    around = {name: given[name] for name in AROUND if name in given}
    return {**given_in(short_links.load(given["saved"])), **around}


def shortened(link: str) -> str:
    """The address, or where it is too long the short link that stands for it.

    Raises:
        ValueError: it is too long and cannot be stored.
    """
    return link if len(link) <= LONGEST else f"{path_of(link)}?saved={short_links.store(link)}"
