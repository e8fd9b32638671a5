"""What becomes of readings that are no longer kept as they came: roll-ups, files of the archive, room on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from watchband.adapters.stores.rows import PAGE_ROWS, rollup_columns, rollups_of
from watchband.adapters.stores.sqlite.census import count_series
from watchband.adapters.stores.sqlite.tables import Tables
from watchband.core.duration import HOUR
from watchband.core.errors import TransientError
from watchband.core.keeping import ArchiveFile, Rollups, Trim
from watchband.core.series import SeriesKey

VACUUM_PAGES = 2_000
"""Pages of the file that are given back after each trim: 8 MB, some tens of milliseconds."""

_ADD = (
    "INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, "
    "low = coalesce(min(low, excluded.low), low, excluded.low), "
    "high = coalesce(max(high, excluded.high), high, excluded.high), "
    "total = total + excluded.total, anomalies = anomalies + excluded.anomalies"
)
_OLD_ALERTS = "DELETE FROM alerts WHERE closed < ? AND id NOT IN (SELECT alert FROM notices)"
_ROLLED = f"""
WITH RECURSIVE ends (first, last) AS (
    SELECT max((SELECT min(hour) FROM rollups), (:since + {HOUR - 1}) / {HOUR} * {HOUR}),
        min((SELECT max(hour) FROM rollups), :until - 1)
), hours (hour, last) AS (
    SELECT first, last FROM ends WHERE first <= last
    UNION ALL SELECT hour + {HOUR}, last FROM hours WHERE hour + {HOUR} <= last
)
SELECT r.* FROM hours CROSS JOIN rollups r ON r.hour = hours.hour AND r.series = :series
"""


class Tiers(Tables):
    """The part of the store that retention works on."""

    def expired(self, shard: str, before: int) -> int:
        """The entry up to which all are older."""
        with self.database.reading() as sql:
            row = sql.execute(
                "SELECT sequence FROM log WHERE shard = ? AND last IS NOT NULL AND min(last, written) >= ? "
                "ORDER BY sequence LIMIT 1",
                (shard, before),
            ).fetchone()
            if row is None:
                row = sql.execute("SELECT max(sequence) + 1 FROM log WHERE shard = ?", (shard,)).fetchone()
            first = sql.execute("SELECT min(sequence) FROM log WHERE shard = ?", (shard,)).fetchone()[0]
        return int(row[0]) - 1 if first is not None and row[0] > first else 0

    def trim(self, trim: Trim) -> int:
        """Entries leave, roll-ups and files come, in one transaction; see the port."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        with self.database.transaction() as sql:
            left = self._drop(sql, trim) if trim.through else 0
            left += sql.execute("DELETE FROM rollups WHERE hour < ?", (trim.rollups_before,)).rowcount
            left += sql.execute("DELETE FROM marks WHERE written < ?", (trim.marks_before,)).rowcount
            left += sql.execute(_OLD_ALERTS, (trim.alerts_before,)).rowcount
            self._add(sql, trim.rollups, new)
            sql.executemany("DELETE FROM archive WHERE name = ?", [(name,) for name in trim.replaced])
            sql.executemany(
                "INSERT INTO archive VALUES (?, ?, ?, ?, ?)",
                [(f.name, f.date, f.rows, f.nbytes, now) for f in trim.files],
            )
        self.know(new)
        with self.database.reading() as sql:
            # Not ``execute``, which leaves a statement without columns after its first step: one page.
            sql.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES});")
        return left

    def _drop(self, sql: sqlite3.Connection, trim: Trim) -> int:
        row = sql.execute(
            "SELECT name, (SELECT max(sequence) FROM snapshots s WHERE s.shard = f.shard AND s.name = f.name) AS at "
            "FROM folds f WHERE shard = ? ORDER BY coalesce(at, 0) LIMIT 1",
            (trim.shard,),
        ).fetchone()
        if row is None or trim.through > (row[1] or 0):
            who = (
                f"the watch {row[0]!r} has its last snapshot behind entry {row[1] or 0}" if row else "no watch has one"
            )
            raise TransientError(f"Entries up to {trim.through} of shard {trim.shard!r} are still needed: {who}.")
        count_series(sql)
        sql.execute("DELETE FROM snapshots WHERE shard = ? AND sequence < ?", (trim.shard, trim.through))
        return sql.execute("DELETE FROM log WHERE shard = ? AND sequence <= ?", (trim.shard, trim.through)).rowcount

    def _add(self, sql: sqlite3.Connection, rollups: Rollups, new: dict[SeriesKey, int]) -> None:
        numbers = [self.number(sql, key, new) for key in rollups.keys]
        sql.executemany(_ADD, zip(*rollup_columns(rollups, numbers), strict=True))

    def rollups(self, since: int, until: int) -> Iterator[Rollups]:
        """Hours of a range, in order, some at a time."""
        hour, series = since, 0
        while True:
            with self.database.reading() as sql:
                rows = sql.execute(
                    "SELECT * FROM rollups WHERE (hour, series) >= (?, ?) AND hour < ? ORDER BY hour, series LIMIT ?",
                    (hour, series, until, PAGE_ROWS),
                ).fetchall()
                numbers = sorted({row[1] for row in rows})
                keys = self.keys(sql, numbers)
            if rows:
                yield rollups_of(rows, numbers, keys)
            if len(rows) < PAGE_ROWS:
                return
            hour, series = rows[-1][0], rows[-1][1] + 1

    def rolled(self, key: SeriesKey, since: int, until: int) -> Rollups:
        """Hours of one series: each is looked up, since they lie by hour and not by series."""
        with self.database.reading() as sql:
            number = sql.execute("SELECT id FROM series WHERE key = ?", (str(key),)).fetchone()
            rows = sql.execute(_ROLLED, {"since": since, "until": until, "series": number[0]}) if number else []
            return rollups_of(list(rows), [number[0]] if number else [], [key])

    def archived(self) -> Sequence[ArchiveFile]:
        """The files that count."""
        with self.database.reading() as sql:
            rows = sql.execute("SELECT name, date, rows, bytes FROM archive ORDER BY name").fetchall()
        return [ArchiveFile(*row) for row in rows]
