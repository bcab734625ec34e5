"""The view heads."""

from explorer.views.heads.heads.view import KIND
from explorer.views.heads.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "heads", "table", beside=True)
