"""The view matrices."""
