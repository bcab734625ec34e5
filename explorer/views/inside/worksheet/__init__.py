"""One query's row, step by step, from q·k to what each key adds."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.inside.page import PAGE, InsideSettings
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class WorksheetSettings(InsideSettings):
    """One query's row, and the key whose vectors are drawn."""

    key: str = setting("", "The key whose vectors are drawn, counted from 0; empty: the one with most weight.")
    before: bool = setting(False, "Queries and keys before rotation, where the model rotates them.")


VIEW: ViewSpec = ViewSpec(
    "worksheet", "the row, step by step", "step by step", PAGE, WorksheetSettings, ("strips",), folder=__name__
)
