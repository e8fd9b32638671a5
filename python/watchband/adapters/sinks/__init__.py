"""Sinks: one file, one system that points or alerts are sent to."""
