"""Asks a language model to fill the gaps that the rules leave. Nothing here is imported until it is needed."""
