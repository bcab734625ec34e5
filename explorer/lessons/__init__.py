"""Lessons: Markdown files, the questions they answer, and their claims."""
