"""Shipped for authors of detectors: contract suites and faults."""
