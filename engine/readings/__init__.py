"""From overlapping parts to the best consistent readings."""
