"""Watchband inside other Python programs: wb.detect, adapters for scikit-learn and river."""
