"""The view similarity."""

from explorer.views.embeddings.page import PAGE
from explorer.views.embeddings.similarity.view import KIND
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "similarity", "similarity")
