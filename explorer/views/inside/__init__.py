"""The Inside page: what happens in one head for one token."""

from explorer.views.inside import contributions, cost, mask, matrices, points, worksheet
from explorer.views.inside.page import PAGE
from explorer.views.spec import ViewSpec

VIEWS: tuple[ViewSpec, ...] = (worksheet.VIEW, points.VIEW, matrices.VIEW, mask.VIEW, contributions.VIEW, cost.VIEW)

__all__ = ["PAGE", "VIEWS"]
