"""Words that do something to a question."""
