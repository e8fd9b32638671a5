"""Simulated worlds with known truth.

``Simulated`` is one series of any kind, interval and length with labelled faults; ``METRICS`` and ``FAULT_TYPES`` are
what there is. ``World`` is the fixed family of five-minute series that the quality figures are measured on.
"""
