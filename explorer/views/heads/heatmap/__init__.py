"""The view heatmap."""
