"""The view embeddings."""

from explorer.views.embeddings.embeddings.view import KIND
from explorer.views.embeddings.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "embeddings", "plane")
