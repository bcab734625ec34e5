"""The map of heads: heads that attend to the same tokens are near each other."""

from dataclasses import dataclass

from explorer.figures.style import PALETTES, SEQUENTIAL
from explorer.session.requests import TextRequest
from explorer.session.settings import setting
from explorer.views.heads.page import PAGE
from explorer.views.spec import ViewSpec

LAYER = "layer"  # a colour of heads, besides the measures


@dataclass(frozen=True)
class DistancesSettings(TextRequest):
    """The colours of the heads. Only the page rings the chosen head."""

    stack: str = setting("", "encoder, decoder or cross; empty: the first stack that there is.")
    colour: str = setting(LAYER, "What the points are coloured by: their layer, or a measure.")
    palette: str = setting(SEQUENTIAL, "Colours of the points.", tuple(PALETTES))


VIEW: ViewSpec = ViewSpec(
    "distances", "the map of heads", "distances", PAGE, DistancesSettings, ("heads",), folder=__name__, slow=True
)
