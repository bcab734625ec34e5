"""The view points."""

from explorer.views.inside.page import PAGE
from explorer.views.inside.points.view import KIND
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "points", "q and k as points")
