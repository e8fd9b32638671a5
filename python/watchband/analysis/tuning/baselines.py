"""Simple baselines: what every table keeps, so that a search has to beat what needs none."""

from __future__ import annotations

from watchband.analysis.tuning.configuration import Configuration
from watchband.analysis.tuning.replay import NAIVE

TAILS = (0.01, 0.003, 0.001, 0.0003, 0.0001, 0.0)
"""Shares of past values beyond a static limit that are tried: the best one on the validation part stands for all."""


def rolling(rule: str) -> Configuration:
    """Distance from the mean of the last 60 values in their deviations, at the same rule as everybody."""
    return Configuration("rolling_zscore", {}, rule)


def naive(rule: str) -> Configuration:
    """Distance from the value a day before, at the same rule as everybody."""
    return Configuration(NAIVE, {}, rule)


def limits() -> list[Configuration]:
    """Static limits of each series from its own past, upper ones and on both sides."""
    upper = [Configuration("threshold", {"high": {"past": 1 - tail}}, "cutoff:1") for tail in TAILS]
    both = [
        Configuration("threshold", {"low": {"past": tail}, "high": {"past": 1 - tail}}, "cutoff:1") for tail in TAILS
    ]
    return upper + both
