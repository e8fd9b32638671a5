"""Which series there are: counted from the log some time after it was written, so that no commit pays for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from watchband.adapters.stores.rows import PAGE
from watchband.adapters.stores.seen import Seen, seen_in
from watchband.core.entry import Columns

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
