"""The view comparison."""

from explorer.views.heads.comparison.view import KIND
from explorer.views.heads.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "comparison", "compare")
