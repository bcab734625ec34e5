"""One head's map, or several heads taken together."""

from explorer.views.heads.page import PAGE, MapSettings
from explorer.views.spec import ViewSpec

VIEW: ViewSpec = ViewSpec("heatmap", "the head’s map", "map", PAGE, MapSettings, ("map",), folder=__name__)
