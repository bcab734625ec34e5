"""The settings that the views of the Heads page share: one head of a text, and how to read its map."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.figures.style import PALETTES, SEQUENTIAL
from explorer.session.requests import HeadRequest
from explorer.session.settings import Settings, setting
from explorer.views.spec import Page

PARTS = ("all", "A→A", "A→B", "B→A", "B→B")
MAPS, LINK = "maps", "link"  # what the picture of all heads shows, beside the measures


@dataclass(frozen=True)
class MapSettings(HeadRequest):
    """The map of one head, or of several together, and how to read it."""

    aggregate: str = setting("head", "One head, or several together.", ("head", "mean", "max", "sum"))
    heads: str = setting("", "The heads that are taken together, as 1.8,2.0; empty: all of the layer.")
    norm: bool = setting(False, "Norm-based weights (Kobayashi et al. 2020).")
    words: bool = setting(False, "Merge pieces into words: a key's pieces are summed, a query's averaged.")
    special: bool = setting(True, "Show tokens that the tokenizer added.")
    part: str = setting("all", "Of a pair: which text's queries and keys.", PARTS)
    log: bool = setting(False, "Colour by order of magnitude.")
    palette: str = setting(SEQUENTIAL, "Colours of the map.", tuple(PALETTES))
    window: str = setting("", "The part that is zoomed into, as 0-10,5-20: rows and columns.")


@dataclass(frozen=True)
class AroundSettings(Settings):
    """The settings beside the views: the picture and the table of all heads, and two linked tokens."""

    show: str = setting(MAPS, "What the picture of all heads shows: maps, link, or a measure.")
    query: str = setting("", "The query of the link, counted from 0.")
    key: str = setting("", "The key of the link, counted from 0.")
    nulls: bool = setting(False, "Every measure also on shuffled tokens.")
    probe: bool = setting(False, "The induction probe on random tokens.")
    sort: str = setting("", "How the page's table is sorted.")
    filter: str = setting("", "How the page's table is filtered.")


PAGE: Page = Page(
    "heads",
    "/",
    "Heads",
    MapSettings,
    selection="heads-heatmap-state",
    around=AroundSettings,
    fields={
        "aggregate": "heads-over",
        "heads": "heads-set",
        "probe": "heads-probed",
        "other_heads": "heads-lines-heads",
    },
)
