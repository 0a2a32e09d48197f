"""Characters and words, whatever they name."""
