"""The outside world: one file, one system. Imports core only."""
