"""Input, output and the finished parts of a job."""
