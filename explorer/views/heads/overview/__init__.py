"""The view overview."""
