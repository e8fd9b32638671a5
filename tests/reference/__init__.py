"""Slow, obvious versions of the kernels; they share no code with the product."""
