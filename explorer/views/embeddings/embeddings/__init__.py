"""A word's static and contextual vectors in a plane, or in three dimensions."""

from explorer.views.embeddings.page import PAGE, PlaneSettings
from explorer.views.spec import ViewSpec

VIEW: ViewSpec = ViewSpec("embeddings", "the plane", "plane", PAGE, PlaneSettings, ("plane", "scree"), folder=__name__)
