"""The views: a folder a page, in it a folder a view."""
