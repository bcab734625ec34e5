"""The picture of all heads: their small maps, or a number each."""

from dataclasses import dataclass

from explorer.figures.style import PALETTES, SEQUENTIAL
from explorer.session.requests import TextRequest
from explorer.session.settings import setting
from explorer.views.heads.page import MAPS, PAGE
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class OverviewSettings(TextRequest):
    """What the picture shows for each head."""

    stack: str = setting("", "encoder, decoder or cross; empty: the first stack that there is.")
    show: str = setting(MAPS, "What the picture of all heads shows: maps, link, or a measure.")
    query: str = setting("", "The query of the link, counted from 0.")
    key: str = setting("", "The key of the link, counted from 0.")
    palette: str = setting(SEQUENTIAL, "Colours of the maps.", tuple(PALETTES))


VIEW: ViewSpec = ViewSpec(
    "overview",
    "the picture of all heads",
    "all heads",
    PAGE,
    OverviewSettings,
    ("grid",),
    folder=__name__,
    beside=True,
)
