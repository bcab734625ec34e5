"""The view layers."""

from explorer.views.embeddings.layers.view import KIND
from explorer.views.embeddings.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "layers", "by layer")
