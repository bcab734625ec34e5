"""The view mask."""

from explorer.views.inside.mask.view import KIND
from explorer.views.inside.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "mask", "mask on and off")
