"""The view distances."""
