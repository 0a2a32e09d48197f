"""The commands: arguments in, text out, no logic."""
