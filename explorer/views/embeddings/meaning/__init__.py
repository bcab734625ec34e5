"""What a word means at a layer: the words that its vectors are read as."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.embeddings.page import PAGE, WordSettings
from explorer.views.spec import ViewSpec

BY = ("head", "static")


@dataclass(frozen=True)
class MeaningSettings(WordSettings):
    """Which vector is read, and by what."""

    meaning_of: str = setting("0", "The occurrence that is read, counted from 0; or sense: and a sense, for its mean.")
    read_by: str = setting(BY[0], "The model's language-model head, or the nearest static vectors.", BY)


VIEW: ViewSpec = ViewSpec(
    "meaning", "what the word means now", "meaning", PAGE, MeaningSettings, ("meaning",), folder=__name__, slow=True
)
