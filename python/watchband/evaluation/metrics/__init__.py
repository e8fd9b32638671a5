"""Metrics of detection: one file, one metric, numpy only."""
