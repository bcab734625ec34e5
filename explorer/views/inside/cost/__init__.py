"""Which heads share keys and values, and the memory and operations of attention."""

from dataclasses import dataclass

from explorer.session.requests import ModelRequest
from explorer.session.settings import setting
from explorer.views.inside.page import PAGE
from explorer.views.spec import ViewSpec


@dataclass(frozen=True)
class CostViewSettings(ModelRequest):
    """A context length, and how its cache is stored; no text is read."""

    head: int = setting(0, "The head that is highlighted, counted from 0.")
    tokens: int = setting(4096, "Tokens of a text, read or written so far.")
    batch: int = setting(1, "Texts at a time, each with its own cache.")
    precision: str = setting("float16", "The number format of the cache and the weights.")
    sharing: str = setting("own", "How many key/value heads the query heads share; own: as in the model.")


VIEW: ViewSpec = ViewSpec(
    "cost",
    "sharing and cost",
    "sharing and cost",
    PAGE,
    CostViewSettings,
    ("cache", "operations", "heads"),
    folder=__name__,
)
