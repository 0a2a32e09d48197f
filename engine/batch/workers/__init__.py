"""Worker processes that may die."""
