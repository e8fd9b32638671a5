"""Records of Amazon Kinesis data streams. See ``docs/sources/kinesis.md``."""
