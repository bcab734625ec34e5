"""The table of heads: every measure, shuffled tokens, the induction probe, and the link of two tokens."""

from dataclasses import dataclass

from explorer.figures.style import PALETTES, SEQUENTIAL
from explorer.session.requests import TextRequest
from explorer.session.settings import setting
from explorer.views.heads.page import PAGE
from explorer.views.spec import ViewSpec

PROBE = "probe"  # the column of the induction probe


@dataclass(frozen=True)
class HeadsSettings(TextRequest):
    """The columns of the table. A file has every head, however the page's table is sorted and filtered."""

    stack: str = setting("", "encoder, decoder or cross; empty: the first stack that there is.")
    nulls: bool = setting(False, "Every measure also on shuffled tokens.")
    probe: bool = setting(False, "The induction probe on random tokens.")
    query: str = setting("", "The query of the link, counted from 0.")
    key: str = setting("", "The key of the link, counted from 0.")
    palette: str = setting(SEQUENTIAL, "Colours of the figure.", tuple(PALETTES))
    sort: str = setting("", "How the page's table is sorted.")
    filter: str = setting("", "How the page's table is filtered.")


VIEW: ViewSpec = ViewSpec(
    "heads", "the table of heads", "table", PAGE, HeadsSettings, ("measures",), folder=__name__, beside=True
)
