"""The pull of a head: what each token adds to a word's vector."""

from dataclasses import dataclass

from explorer.session.settings import setting
from explorer.views.embeddings.page import PAGE, ProjectionSettings
from explorer.views.spec import ViewSpec

ALL = "all"
SEEN, TRUE = "seen", "true"


@dataclass(frozen=True)
class PullSettings(ProjectionSettings):
    """Which occurrence is pulled, and by which head."""

    pull_on: int = setting(0, "Which occurrence of the word is pulled, counted from 0.")
    head: str = setting(ALL, "One head of the layer, or all of them with the output bias.")
    arrow_length: str = setting(SEEN, "Arrows long enough to be seen, or at their true length.", (SEEN, TRUE))


VIEW: ViewSpec = ViewSpec(
    "pull", "the pull of a head", "pull", PAGE, PullSettings, ("arrows", "heads"), folder=__name__
)
