"""The Heads page: all heads of a text, and one of them large."""

from explorer.views.heads import comparison, distances, heads, heatmap, lines, overview
from explorer.views.heads.page import PAGE
from explorer.views.spec import ViewSpec

VIEWS: tuple[ViewSpec, ...] = (heatmap.VIEW, lines.VIEW, comparison.VIEW, distances.VIEW, overview.VIEW, heads.VIEW)

__all__ = ["PAGE", "VIEWS"]
