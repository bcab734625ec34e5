"""What all heads of a layer add to one token."""

from explorer.views.inside.page import PAGE, InsideSettings
from explorer.views.spec import ViewSpec

VIEW: ViewSpec = ViewSpec(
    "contributions",
    "the head contributions",
    "head contributions",
    PAGE,
    InsideSettings,
    ("outputs",),
    folder=__name__,
)
