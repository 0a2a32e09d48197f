"""The names of organisations and indicators, and where they stand in a text."""
