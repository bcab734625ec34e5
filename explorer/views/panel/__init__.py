"""What the panels of all views share: fields, messages, background work."""
