"""What a chart of years is made of: hours of the store and of what is kept with bands, in one order."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from watchband.adapters.stores.scored.buckets import Buckets
from watchband.core.duration import DAY, HOUR, WEEK
from watchband.core.keeping import Rollups

WIDTHS = {"hourly": HOUR, "daily": DAY, "weekly": WEEK, "monthly": 4 * WEEK}
"""Resolutions by the length of their buckets, which begin at multiples of it since 1970."""


def of_rollups(hours: Rollups) -> Buckets:
    """Hours of the store: values without band. Of anomalous ones the value is that which is farther from the mean."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(hours.count > 0, hours.total / np.maximum(hours.count, 1), np.nan)
        farther = np.where(hours.high - mean >= mean - hours.low, hours.high, hours.low)
    unknown = np.full(len(hours), np.nan)
    y = np.where(hours.anomalies > 0, farther, mean)
    return Buckets(
        hours.hour, y, unknown, unknown, unknown, unknown, hours.low, hours.high, hours.anomalies, hours.count
    )


def behind(old: Buckets, new: Buckets, width: int) -> Buckets:
    """Buckets of two sources in one order; where both have one of a time, the new."""
    kept = ~np.isin(old.time // width, np.unique(new.time // width))
    both = {f.name: np.concatenate([getattr(old, f.name)[kept], getattr(new, f.name)]) for f in fields(Buckets)}
    order = np.argsort(both["time"], kind="stable")
    return Buckets(**{name: column[order] for name, column in both.items()})
