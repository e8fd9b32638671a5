"""What entries of a log say of their series: counted after they were written, so that no commit pays for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from watchband.core.entry import Columns
from watchband.core.keeping import SeriesRecord

COUNT_AFTER = 500
"""Entries behind which the count may stay before a snapshot takes it along."""

Seen = dict[int, tuple[str, int, int, int]]
"""By number of a series: source, first, last, readings."""


def seen_in(entries: Sequence[Columns]) -> Seen:
    """Source, first, last and readings of every series in some entries."""
    names: dict[str, int] = {}
    parts = []
    for entry in entries:
        some = np.flatnonzero(entry.counts)
        if not len(some):
            continue
        start = (np.cumsum(entry.counts) - entry.counts)[some]
        known = np.array([names.setdefault(name, len(names)) for name in entry.sources], np.int64)
        low, high = np.minimum.reduceat(entry.times, start), np.maximum.reduceat(entry.times, start)
        parts.append((entry.series[some], known[entry.source[some]], low, high, entry.counts[some]))
    if not parts:
        return {}
    series, source, low, high, count = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(series, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(series[order]) != 0])
    last = np.r_[first[1:], len(order)] - 1
    by_source = list(names)
    return {
        number: (by_source[of], least, most, points)
        for number, of, least, most, points in zip(
            series[order][first].tolist(),
            source[order][last].tolist(),
            np.minimum.reduceat(low[order], first).tolist(),
            np.maximum.reduceat(high[order], first).tolist(),
            np.add.reduceat(count[order], first).tolist(),
            strict=True,
        )
    }


def add_seen(records: dict[int, SeriesRecord], parts: Iterable[Seen]) -> None:
    """Bring records up to what later entries say, in their order."""
    for seen in parts:
        for number, (source, first, last, points) in seen.items():
            old = records[number]
            records[number] = SeriesRecord(
                old.key,
                source or old.source,
                first if old.first is None else min(first, old.first),
                last if old.last is None else max(last, old.last),
                old.points + points,
            )
