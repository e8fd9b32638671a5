"""Training: candidates fitted on one part of the past, chosen on a later one, reported once on the last."""
