"""A head's weight matrix as a linear map: what it does to a plane and its grid."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.inside.page import PAGE, SharedSettings
from explorer.views.spec import ViewSpec

MAPS = ("query", "key", "value")


@dataclass(frozen=True)
class MatricesSettings(SharedSettings):
    """Which matrix, and where the right picture is between before and after."""

    map: str = setting("query", "Which of the head’s three linear maps: W_Q, W_K or W_V.", MAPS)
    share: float = setting(
        1.0,
        "The right picture from before (0) to after (1) the map, along straight lines; the model has no such states.",
        low=0,
        high=1,
    )


VIEW: ViewSpec = ViewSpec(
    "matrices",
    "the weight matrix as a linear map",
    "weight matrices",
    PAGE,
    MatricesSettings,
    ("planes",),
    folder=__name__,
)
