"""Input, output, and the part files of a job."""
