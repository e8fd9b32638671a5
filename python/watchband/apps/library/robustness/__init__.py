"""``watchband bench robustness`` as a library: run, resume, and what is written."""
