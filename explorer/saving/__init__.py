"""A view to a file of any format with its provenance, and back."""
