"""A name to a checkpoint and its model: hub, bundled, local, and facts of architectures."""
