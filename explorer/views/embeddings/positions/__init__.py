"""The view positions."""
