"""Causal features of points and of moments."""
