"""The chosen head, what it is compared with, and the difference."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.heads.page import PAGE, MapSettings
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class ComparisonSettings(MapSettings):
    """The other side; an empty setting is the same as on the first."""

    other_model: str = setting("", "Another model; empty: the same.")
    other_text: str = setting("", "Another text; empty: the same, with its second text.")
    other_layer: str = setting("", "Another layer, counted from 0; empty: the same.")
    other_head: str = setting("", "Another head, counted from 0; empty: the same.")


VIEW: ViewSpec = ViewSpec(
    "comparison",
    "the comparison",
    "compare",
    PAGE,
    ComparisonSettings,
    ("difference", "first", "second"),
    folder=__name__,
    second="other_model",
    slow=True,
)
