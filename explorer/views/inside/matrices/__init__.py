"""The view matrices."""

from explorer.views.inside.matrices.view import KIND
from explorer.views.inside.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "matrices", "weight matrices")
