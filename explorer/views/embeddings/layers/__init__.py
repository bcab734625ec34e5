"""A word's measures by layer: where its senses separate, and what chance gives."""

from explorer.views.embeddings.page import PAGE, WordSettings
from explorer.views.spec import ViewSpec

VIEW: ViewSpec = ViewSpec(
    "layers", "the measures by layer", "by layer", PAGE, WordSettings, ("layers",), folder=__name__, slow=True
)
