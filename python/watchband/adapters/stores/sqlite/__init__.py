"""The embedded store: one directory, one SQLite file."""
