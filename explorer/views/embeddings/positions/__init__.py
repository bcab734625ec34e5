"""The view positions."""

from explorer.views.embeddings.page import PAGE
from explorer.views.embeddings.positions.view import KIND
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "positions", "positions")
