"""The view pull."""

from explorer.views.embeddings.page import PAGE
from explorer.views.embeddings.pull.view import KIND
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "pull", "pull")
