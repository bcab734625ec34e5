"""The view distances."""

from explorer.views.heads.distances.view import KIND
from explorer.views.heads.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "distances", "distances")
