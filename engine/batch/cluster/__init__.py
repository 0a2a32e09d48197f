"""The same rows on Ray and Spark."""
