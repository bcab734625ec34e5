"""The view overview."""

from explorer.views.heads.overview.view import KIND
from explorer.views.heads.page import PAGE
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "overview", "all heads", beside=True)
