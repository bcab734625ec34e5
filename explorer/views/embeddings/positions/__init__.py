"""Where position enters: the model's positions, and a token's sum."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.embeddings.page import PAGE, WordSettings
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class PositionsSettings(WordSettings):
    """Whose sum is shown."""

    positions_of: int = setting(0, "The occurrence whose sum is shown, counted from 0.")


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
