"""The commands: arguments in, text out, no logic. `app.py` lists them; each has a file of its own."""
