"""Where position enters: the model's positions, and a token's sum."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.embeddings.page import PAGE, WordSettings
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class PositionsSettings(WordSettings):
    """Which occurrence the sum is of."""

    positions_of: int = setting(0, "The occurrence that the sum is of, counted from 0.")


VIEW: ViewSpec = ViewSpec(
    "positions",
    "where position enters",
    "positions",
    PAGE,
    PositionsSettings,
    ("positions",),
    folder=__name__,
    slow=True,
)
