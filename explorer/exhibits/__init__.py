"""Every view that can be saved: what a state makes of it, whoever asks for it.

The page, the command line, notebooks and files that are made again all come here, so that a
figure is the same wherever it is from. A file a view.
"""

from __future__ import annotations

from explorer import kept_states
from explorer.exhibits import (
    by_layer,
    comparison,
    cost,
    distances,
    head_outputs,
    heads,
    heatmap,
    lines,
    mask,
    meaning,
    moves,
    overview,
    plane,
    points,
    positions,
    pull,
    similarity,
    worksheet,
)
from explorer.exhibits.exhibit import Exhibit, Kind
from explorer.exhibits.state import left_out, text_request
from explorer.links import AROUND, State, given_in, parse, path_of
from explorer.session import Session

__all__ = [
    "KINDS",
    "SETTINGS",
    "Exhibit",
    "Kind",
    "exhibit_of",
    "kind_of",
    "settings_in",
    "state_for",
    "unread",
]

_OF_HEADS = (heatmap, lines, comparison, distances, overview, heads)
_OF_WORDS = (plane, by_layer, similarity, meaning, pull, positions)
_INSIDE = (worksheet, points, moves, mask, head_outputs, cost)
KINDS: dict[str, Kind] = {one.KIND.name: one.KIND for one in (*_OF_HEADS, *_OF_WORDS, *_INSIDE)}
# Every setting that an address may have, of whatever view.
SETTINGS = frozenset(name for kind in KINDS.values() for name in kind.defaults)


def settings_in(link: str) -> dict[str, str]:
    """Every setting of an address as it is written; of a kept state what its name stands for.

    Raises:
        ValueError: no state of that name is kept here.
    """
    given = given_in(link)
    if "saved" not in given:
        return given
    around = {name: given[name] for name in AROUND if name in given}
    return {**given_in(kept_states.kept(given["saved"])), **around}


def kind_of(link: str) -> Kind:
    """The kind of view that an address is of; the first of its page where it names no other.

    Raises:
        ValueError: no page of that path has a view that can be saved, or no such state is kept.
    """
    given, path = settings_in(link), path_of(link)
    named = [kind for kind in KINDS.values() if kind.name == given.get("kind")]
    here = [kind for kind in KINDS.values() if kind.path == path]
    chosen = named or [kind for kind in here if kind.mode == given.get("mode")] or here
    if not chosen:
        paths = ", ".join(dict.fromkeys(kind.path for kind in KINDS.values()))
        raise ValueError(f"{path} is no page with a view to save: use {paths}")
    return chosen[0]


def exhibit_of(session: Session, link: str) -> tuple[Exhibit, tuple[str, ...]]:
    """The view of an address, and what of the address is not understood.

    Raises:
        ValueError: no such page, or a setting the model or the text does not have.
        ModelError: the model cannot be loaded or failed.
    """
    kind = kind_of(link)
    parsed = parse(settings_in(link), kind.defaults, SETTINGS)
    state = state_for(kind, parsed.state)
    exhibit = kind.make(session, state)
    return exhibit, (*parsed.remarks, *unread(state, exhibit))


def unread(asked: State, exhibit: Exhibit) -> tuple[str, ...]:
    """What to say of the texts of a state that its view was made without."""
    if "text" not in asked:
        return ()
    return left_out(text_request(asked), text_request(exhibit.state))


def state_for(kind: Kind, told: State) -> State:
    """The settings of a kind out of those of a page or a file; its defaults where none is told."""
    state = {name: told.get(name, default) for name, default in kind.defaults.items()}
    return state | {"mode": kind.mode} if "mode" in state else state
