"""The map of heads: near each other where they look at the same tokens."""

from dataclasses import dataclass

from explorer.figures.style import PALETTES, SEQUENTIAL
from explorer.session.requests import TextRequest
from explorer.session.settings import setting
from explorer.views.heads.page import PAGE
from explorer.views.spec import ViewSpec

LAYER = "layer"  # what heads are coloured by, besides the measures


@dataclass(frozen=True)
class DistancesSettings(TextRequest):
    """What the heads are coloured by. The chosen head is ringed on the page only."""

    stack: str = setting("", "encoder, decoder or cross; empty: the first stack that there is.")
    colour: str = setting(LAYER, "What the points are coloured by: their layer, or a measure.")
    palette: str = setting(SEQUENTIAL, "Colours of the points.", tuple(PALETTES))


VIEW: ViewSpec = ViewSpec(
    "distances", "the map of heads", "distances", PAGE, DistancesSettings, ("heads",), folder=__name__, slow=True
)
