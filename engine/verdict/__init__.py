"""From the best readings to what is certain."""
