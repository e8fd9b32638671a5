"""Objects in buckets of Amazon S3 and in local folders, by one code: found by templates, read by ranges, put whole."""
