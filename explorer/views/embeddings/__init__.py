"""The Embeddings page: one word across sentences."""

from explorer.views.embeddings import embeddings, layers, meaning, positions, pull, similarity
from explorer.views.embeddings.page import PAGE
from explorer.views.spec import ViewSpec

VIEWS: tuple[ViewSpec, ...] = (embeddings.VIEW, layers.VIEW, similarity.VIEW, meaning.VIEW, pull.VIEW, positions.VIEW)

__all__ = ["PAGE", "VIEWS"]
