"""The frame around the pages: bar, tabs, save menu, lessons, self-check, server."""
