"""The view heads."""
