"""Metrics of Amazon CloudWatch. See ``docs/sources/cloudwatch.md``."""
