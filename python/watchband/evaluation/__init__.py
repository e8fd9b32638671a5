"""Evaluation: figures that anyone can reproduce, on simulated worlds with known truth and on labelled data."""
