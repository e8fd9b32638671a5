"""Counters: series that only count up, by their names as Prometheus' conventions have them."""

from __future__ import annotations

import re
from functools import lru_cache

_UNITS = (
    "seconds|milliseconds|microseconds|nanoseconds|ms|us|ns|bytes|ratio|meters|joules|celsius|duration|latency|size"
)
_NAME = re.compile(rf".*(_total|_bucket|_(?:{_UNITS})_(?:count|sum))")


@lru_cache(maxsize=65_536)
def is_counter(metric: str) -> bool:
    """Whether a metric is a counter by its name.

    ``_total`` and ``_bucket`` say so; ``_count`` and ``_sum`` do behind a unit, as histograms and summaries have them:
    alone they are often plain numbers (``queue_count``).

    Examples
    --------
    >>> [is_counter(m) for m in ("http_requests_total", "rpc_duration_seconds_count", "thread_count", "cpu")]
    [True, True, False, False]
    """
    return _NAME.fullmatch(metric) is not None
