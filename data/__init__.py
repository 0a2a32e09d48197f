"""The bundled tables, word lists and small model. See README.md beside this file."""
