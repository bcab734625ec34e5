"""The view points."""
