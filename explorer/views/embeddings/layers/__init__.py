"""The view layers."""
