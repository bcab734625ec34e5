"""Every view that can be saved: what a state makes of it, whoever asks for it.

The page, the command line, notebooks and files that are made again all come here, so that a
figure is the same wherever it is from. A file a view.
"""

from __future__ import annotations

from collections.abc import Mapping

from explorer.session import short_links
from explorer.session.links import AROUND, State, given_in, parse, path_of
from explorer.session.session import Session
from explorer.views.embeddings.embeddings import view as plane
from explorer.views.embeddings.layers import view as by_layer
from explorer.views.embeddings.meaning import view as meaning
from explorer.views.embeddings.positions import view as positions
from explorer.views.embeddings.pull import view as pull
from explorer.views.embeddings.similarity import view as similarity
from explorer.views.heads.comparison import view as comparison
from explorer.views.heads.distances import view as distances
from explorer.views.heads.heads import view as heads
from explorer.views.heads.heatmap import view as heatmap
from explorer.views.heads.lines import view as lines
from explorer.views.heads.overview import view as overview
from explorer.views.inside.contributions import view as head_outputs
from explorer.views.inside.cost import view as cost
from explorer.views.inside.mask import view as mask
from explorer.views.inside.matrices import view as moves
from explorer.views.inside.points import view as points
from explorer.views.inside.worksheet import view as worksheet
from explorer.views.spec import Exhibit, Kind
from explorer.views.state import left_out, text_request

__all__ = ["KINDS", "SETTINGS", "Exhibit", "Kind", "asked_of", "exhibit_of", "settings_in", "state_for", "unread"]

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
    return {**given_in(short_links.kept(given["saved"])), **around}


def _chosen(given: Mapping[str, str], path: str) -> tuple[Kind, tuple[str, ...]]:
    """The kind that an address's settings name, and what to say where they name none.

    It is the first of the address's page then.
    """
    if named := KINDS.get(given.get("kind", "")):
        return named, ()
    here = [kind for kind in KINDS.values() if kind.path == path]
    if not here:
        paths = ", ".join(dict.fromkeys(kind.path for kind in KINDS.values()))
        raise ValueError(f"{path} is no page with a view to save: use {paths}")
    seen = [kind for kind in here if kind.mode == given.get("mode")]
    chosen = (seen or here)[0]
    unknown = [name for name in ("kind", *(() if seen else ("mode",))) if name in given]
    return chosen, tuple(
        f"the address says {name}={given[name][:40]}, a view that this version does not know: "
        f"it may come from a newer one; {chosen.title} is shown"
        for name in unknown
    )


def asked_of(link: str, kind: Kind | None = None) -> tuple[Kind, State, tuple[str, ...]]:
    """The kind and state that an address tells, and what of it is not understood, in words.

    Args:
        link: the address.
        kind: of the view, where the address need not say it.

    Raises:
        ValueError: no page of that path has a view that can be saved, or no such state is kept.
    """
    given = settings_in(link)
    chosen, remarks = (kind, ()) if kind else _chosen(given, path_of(link))
    parsed = parse(given, chosen.defaults, SETTINGS)
    return chosen, state_for(chosen, parsed.state), (*remarks, *parsed.remarks)


def exhibit_of(session: Session, link: str) -> tuple[Exhibit, tuple[str, ...]]:
    """The view of an address, and what of the address is not understood.

    Raises:
        ValueError: no such page, or a setting the model or the text does not have.
        ModelError: the model cannot be loaded or failed.
    """
    kind, state, remarks = asked_of(link)
    exhibit = kind.make(session, state)
    return exhibit, (*remarks, *unread(state, exhibit))


def unread(asked: State, exhibit: Exhibit) -> tuple[str, ...]:
    """What to say of the texts of a state that its view was made without."""
    if "text" not in asked:
        return ()
    return left_out(text_request(asked), text_request(exhibit.state))


def state_for(kind: Kind, told: State) -> State:
    """The settings of a kind out of those of a page or a file; its defaults where none is told."""
    state = {name: told.get(name, default) for name, default in kind.defaults.items()}
    return state | {"mode": kind.mode} if "mode" in state else state
