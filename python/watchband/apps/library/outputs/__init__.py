"""What ``--out DIR`` writes: one file, one format."""
