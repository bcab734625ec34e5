"""The Inside page: what happens in one head."""
