"""The view meaning."""
