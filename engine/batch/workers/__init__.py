"""Worker processes, whose death costs no row."""
