"""The view pull."""
