"""The largest weights of some heads of a layer as lines."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.heads.page import PAGE, MapSettings
from explorer.views.spec import ViewSpec

MAX_HEADS = 7  # one for each distinguishable colour
MAX_LINES = 2000


@dataclass(frozen=True)
class LinesSettings(MapSettings):
    """The weights that are drawn as lines."""

    other_heads: str = setting("", f"Further heads of the layer, as 1,5; {MAX_HEADS} heads at most.")
    threshold: float = setting(0.05, "The least weight that is drawn as a line.", low=0, high=1)
    count: int = setting(300, "The most lines, strongest first.", low=1, high=MAX_LINES)


VIEW: ViewSpec = ViewSpec("lines", "the lines", "lines", PAGE, LinesSettings, ("lines",), folder=__name__)
