"""The view comparison."""
