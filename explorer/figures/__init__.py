"""The plot kit that all views share: theme, palettes, labels, captions, sizes."""
