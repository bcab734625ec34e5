"""The Embeddings page: one word across sentences."""
