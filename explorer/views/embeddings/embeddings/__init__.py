"""The view embeddings."""
