"""The view cost."""
