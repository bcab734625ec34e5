"""The view mask."""
