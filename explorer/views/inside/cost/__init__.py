"""The view cost."""

from explorer.views.inside.cost.view import KIND
from explorer.views.inside.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "cost", "sharing and cost")
