"""The view worksheet."""

from explorer.views.inside.page import PAGE
from explorer.views.inside.worksheet.view import KIND
from explorer.views.legacy import spec_of

VIEW = spec_of(KIND, PAGE, "worksheet", "step by step")
