"""A Prometheus, or what speaks as one: its query API as a source. See ``docs/sources/prometheus.md``."""
