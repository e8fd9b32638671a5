"""Breach: when a series will reach a threshold, and how sure that is."""
