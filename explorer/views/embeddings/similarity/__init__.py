"""Every two occurrences of a word, and the senses that their vectors propose."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.embeddings.page import PAGE, WordSettings
from explorer.views.spec import ViewSpec

RAW, CORRECTED = "cosine", "corrected"


@dataclass(frozen=True)
class SimilaritySettings(WordSettings):
    """Which values the matrix shows."""

    values: str = setting(RAW, "The cosine as it is, or minus that of random words at this layer.", (RAW, CORRECTED))


VIEW: ViewSpec = ViewSpec(
    "similarity",
    "the occurrences’ similarity",
    "similarity",
    PAGE,
    SimilaritySettings,
    ("similarity",),
    folder=__name__,
    slow=True,
)
