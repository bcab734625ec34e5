"""What the views of the Embeddings page share: a word across sentences, a layer, and a projection."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.session.requests import WordRequest
from explorer.session.settings import setting
from explorer.views.spec import Page


@dataclass(frozen=True)
class WordSettings(WordRequest):
    """A word across sentences, at a layer."""

    layer: int = setting(3, "Layer: 0 is the input of the first block, the last is the model's result.")


@dataclass(frozen=True)
class ProjectionSettings(WordSettings):
    """How vectors are projected to a plane."""

    basis: str = setting("layer", "What the axes are fitted on.", ("layer", "all", "vocabulary"))
    normalise: str = setting("none", "How vectors are scaled before the fit.", ("none", "unit", "standard"))
    method: str = setting("pca", "Principal components, or t-SNE.", ("pca", "tsne"))
    axes: int = setting(2, "Two or three axes.", (2, 3))
    drop_first: bool = setting(False, "Leave occurrences at position 0 out of the fit.")


@dataclass(frozen=True)
class PlaneSettings(ProjectionSettings):
    """What the projection of a word's vectors shows."""

    arrows: bool = setting(True, "From the static vector to each occurrence.")
    paths: bool = setting(False, "Each occurrence's way through all layers.")
    anchors_shown: bool = setting(True, "Anchor words in the same basis.")
    others: bool = setting(False, "A sample of the sentences' other tokens.")
    layers: str = setting("", "The layers whose points a file holds, as 0,3,6 or all; empty: the one shown.")


PAGE: Page = Page(
    "embeddings",
    "/embeddings",
    "Embeddings",
    PlaneSettings,
    selection="embeddings-request",
    fields={
        "match_case": "embeddings-case",
        "values": "embeddings-similarity-values",
        "meaning_of": "embeddings-meaning-place",
        "read_by": "embeddings-meaning-by",
        "positions_of": "embeddings-positions-place",
        "pull_on": "embeddings-pull-place",
        "head": "embeddings-pull-head",
        "arrow_length": "embeddings-pull-length",
    },
)
