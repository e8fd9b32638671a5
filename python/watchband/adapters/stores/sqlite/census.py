"""Which series there are: counted from the log some time after it was written, so that no commit pays for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import numpy as np

from watchband.core.entry import Columns

PAGE = 64
COUNT_AFTER = 500
"""Entries behind which the count may stay before a snapshot takes it along."""

Seen = dict[int, tuple[str, int, int, int]]
"""By number of a series: source, first, last, readings."""

_NOTE = (
    "UPDATE series SET source = CASE WHEN ?1 = '' THEN source ELSE ?1 END, first = min(coalesce(first, ?2), ?2), "
    "last = max(coalesce(last, ?3), ?3), points = points + ?4 WHERE id = ?5"
)


def count_series(sql: sqlite3.Connection, at_least: int = 0) -> None:
    """Bring the table of series up to the end of every log, within a transaction."""
    for shard, counted, head in sql.execute("SELECT shard, counted, head FROM heads").fetchall():
        if head - counted < max(at_least, 1):
            continue
        for seen in uncounted(sql, shard, counted):
            sql.executemany(_NOTE, [(*found, number) for number, found in seen.items()])
        sql.execute("UPDATE heads SET counted = ? WHERE shard = ?", (head, shard))


def uncounted(sql: sqlite3.Connection, shard: str, counted: int) -> Iterator[Seen]:
    """What the entries behind ``counted`` say of their series, some entries at a time."""
    while True:
        rows = sql.execute(
            "SELECT sequence, entry FROM log WHERE shard = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (shard, counted, PAGE),
        ).fetchall()
        if rows:
            yield seen_in([Columns.from_bytes(entry) for _, entry in rows])
        if len(rows) < PAGE:
            return
        counted = rows[-1][0]


def seen_in(entries: list[Columns]) -> Seen:
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
