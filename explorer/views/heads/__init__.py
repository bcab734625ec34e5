"""The Heads page: all heads of a text, and one of them large."""
