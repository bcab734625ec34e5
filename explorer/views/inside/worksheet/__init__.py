"""The view worksheet."""
