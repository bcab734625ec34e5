"""The view lines."""
