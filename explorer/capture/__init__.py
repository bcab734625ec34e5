"""A loaded model and a text to a capture: queries, keys and values of every head."""
