"""Simulated worlds: metrics of many kinds with labelled faults, pure functions of a seed."""
