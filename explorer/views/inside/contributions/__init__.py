"""The view contributions."""
