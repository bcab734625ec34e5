"""Queries and keys of a head as points in one plane."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.inside.page import PAGE, SharedSettings
from explorer.views.spec import ViewSpec

MAX_TEXTS = 5  # the number of distinct marks


@dataclass(frozen=True)
class PointsSettings(SharedSettings):
    """How queries and keys are placed, and which pairs have a line."""

    rope: str = setting(
        "after", "Queries and keys after rotation, as the scores use them, or before it.", ("after", "before")
    )
    align: bool = setting(
        False, "Add one vector to all keys that brings their mean to the queries'; the softmax cancels it."
    )
    least: float = setting(0.2, "The smallest attention weight that is drawn as a line.", low=0, high=1)
    texts: str = setting("", f"Further texts in the same plane, one per line, {MAX_TEXTS - 1} at most.")


VIEW: ViewSpec = ViewSpec(
    "points", "queries and keys as points", "q and k as points", PAGE, PointsSettings, ("points",), folder=__name__
)
