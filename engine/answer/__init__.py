"""The values that leave the engine."""
