"""Asks a language model about what the rules leave open. Nothing here is imported until it is used."""
