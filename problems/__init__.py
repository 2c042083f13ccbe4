"""Problem files to run and learn from, and the benchmark collections."""
