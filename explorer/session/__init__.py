"""What a running explorer keeps and shares: caches, jobs, and settings as links."""
