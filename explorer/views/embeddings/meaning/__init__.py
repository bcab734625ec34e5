"""The view meaning."""

from explorer.views.embeddings.meaning.view import KIND
from explorer.views.embeddings.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "meaning", "meaning")
