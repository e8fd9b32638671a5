"""The shared store: PostgreSQL, one process that writes and others that stand by."""
