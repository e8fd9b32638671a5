"""Files as a stream of records. See ``docs/cli.md``, ``watchband replay``."""
