"""A head's mask on and off, and what later context does to a token."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.inside.page import PAGE, InsideSettings
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class MaskSettings(InsideSettings):
    """A token, and a second model that reads the same text."""

    other_model: str = setting(
        "", "A second model that reads the same text; empty: the bundled one of the other kind, causal or not."
    )


VIEW: ViewSpec = ViewSpec(
    "mask",
    "the mask on and off",
    "mask on and off",
    PAGE,
    MaskSettings,
    ("own", "other", "late"),
    folder=__name__,
    second="other_model",
)
