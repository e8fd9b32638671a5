"""What becomes of readings that are no longer kept as they came: roll-ups, files; and which series there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from watchband.adapters.stores.postgres.tables import Tables, digest_of, key_of
from watchband.adapters.stores.rows import PAGE, PAGE_ROWS, rollup_columns, rollups_of
from watchband.adapters.stores.seen import Seen, add_seen, seen_in
from watchband.core.duration import HOUR
from watchband.core.entry import Columns
from watchband.core.errors import TransientError
from watchband.core.keeping import ArchiveFile, Rollups, SeriesRecord, Trim
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.adapters.stores.postgres.database import Sql

_OLD_ALERTS = """
DELETE FROM alerts a WHERE a.closed < %s AND NOT EXISTS (SELECT FROM notices n WHERE n.alert = a.id)
"""
_ADD = (
    "INSERT INTO rollups AS r SELECT * FROM unnest(%s::bigint[], %s::integer[], %s::bigint[], %s::float8[], "
    "%s::float8[], %s::float8[], %s::bigint[]) ON CONFLICT (hour, series) DO UPDATE SET "
    # Least and greatest look past what is not known.
    "count = r.count + excluded.count, low = least(r.low, excluded.low), high = greatest(r.high, excluded.high), "
    "total = r.total + excluded.total, anomalies = r.anomalies + excluded.anomalies"
)
_NOTE = (
    "UPDATE series AS s SET source = coalesce(nullif(n.source, ''), s.source), first = least(s.first, n.first), "
    "last = greatest(s.last, n.last), points = s.points + n.points FROM unnest(%s::integer[], %s::text[], "
    "%s::bigint[], %s::bigint[], %s::bigint[]) AS n (id, source, first, last, points) WHERE s.id = n.id"
)


class Tiers(Tables):
    """The part of the store that retention works on."""

    def expired(self, shard: str, before: int) -> int:
        """The entry up to which all are older."""
        with self.reading() as sql:
            row = sql.execute(
                "SELECT min(sequence), max(sequence), min(sequence) FILTER (WHERE least(last, written) >= %s AND last "
                "IS NOT NULL) FROM log WHERE shard = %s",
                (before, shard),
            ).fetchone()
        assert row is not None
        first, last, younger = row
        if first is None or younger == first:
            return 0
        return int(last if younger is None else younger - 1)

    def trim(self, trim: Trim) -> int:
        """Entries leave, roll-ups and files come, in one transaction; see the port."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        with self.writing() as sql:
            left = _drop(sql, trim) if trim.through else 0
            left += sql.execute("DELETE FROM rollups WHERE hour < %s", (trim.rollups_before,)).rowcount
            left += sql.execute("DELETE FROM marks WHERE written < %s", (trim.marks_before,)).rowcount
            left += sql.execute(_OLD_ALERTS, (trim.alerts_before,)).rowcount
            if len(trim.rollups):
                self.numbers(sql, trim.rollups.keys, new)
                sql.execute(_ADD, rollup_columns(trim.rollups, [self.number(key, new) for key in trim.rollups.keys]))
            sql.execute("DELETE FROM archive WHERE name = ANY(%s)", (list(trim.replaced),))
            sql.executemany(
                "INSERT INTO archive VALUES (%s, %s, %s, %s, %s)",
                [(f.name, f.date, f.rows, f.nbytes, now) for f in trim.files],
            )
        self.know(new)
        return left

    def rollups(self, since: int, until: int) -> Iterator[Rollups]:
        """Hours of a range, in order, some at a time."""
        hour, series = since, 0
        while True:
            with self.reading() as sql:
                rows = sql.execute(
                    "SELECT * FROM rollups WHERE (hour, series) >= (%s, %s) AND hour < %s ORDER BY hour, series "
                    "LIMIT %s",
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
        with self.reading() as sql:
            row = sql.execute("SELECT id FROM series WHERE digest = %s", (digest_of(key),)).fetchone()
            number = row[0] if row else None
            ends = sql.execute("SELECT min(hour), max(hour) FROM rollups").fetchone()
            if number is None or ends is None or ends[0] is None:
                return Rollups.none()
            first = max(ends[0], -(-since // HOUR) * HOUR)
            rows = sql.execute(
                "SELECT r.* FROM generate_series(%s::bigint, %s::bigint, %s) AS h (hour) "
                "CROSS JOIN LATERAL (SELECT * FROM rollups WHERE hour = h.hour AND series = %s) r",
                (first, min(ends[1], until - 1), HOUR, number),
            ).fetchall()
            return rollups_of(rows, [number], [key])

    def archived(self) -> Sequence[ArchiveFile]:
        """The files that count."""
        with self.reading() as sql:
            rows = sql.execute('SELECT name, date, rows, bytes FROM archive ORDER BY name COLLATE "C"').fetchall()
        return [ArchiveFile(*row) for row in rows]

    def series(self) -> Sequence[SeriesRecord]:
        """Every series that was ever seen."""
        with self.reading() as sql:
            rows = sql.execute("SELECT id, key, source, first, last, points FROM series").fetchall()
            found = {row[0]: SeriesRecord(key_of(row[1]), *row[2:]) for row in rows}
            for shard, counted in sql.execute("SELECT shard, counted FROM heads").fetchall():
                add_seen(found, _uncounted(sql, shard, counted))
        return sorted((one for one in found.values() if one.points), key=lambda s: str(s.key))


def count_series(sql: Sql, at_least: int = 0) -> None:
    """Bring the table of series up to the end of every log, within a transaction."""
    for shard, counted, head in sql.execute("SELECT shard, counted, head FROM heads").fetchall():
        if head - counted < max(at_least, 1):
            continue
        for seen in _uncounted(sql, shard, counted):
            rows = [(number, *found) for number, found in seen.items()]
            if rows:
                sql.execute(_NOTE, [list(column) for column in zip(*rows, strict=True)])
        sql.execute("UPDATE heads SET counted = %s WHERE shard = %s", (head, shard))


def _uncounted(sql: Sql, shard: str, counted: int) -> Iterator[Seen]:
    while True:
        rows = sql.execute(
            "SELECT sequence, entry FROM log WHERE shard = %s AND sequence > %s ORDER BY sequence LIMIT %s",
            (shard, counted, PAGE),
            binary=True,
        ).fetchall()
        if rows:
            yield seen_in([Columns.from_bytes(entry) for _, entry in rows])
        if len(rows) < PAGE:
            return
        counted = rows[-1][0]


def _drop(sql: Sql, trim: Trim) -> int:
    row = sql.execute(
        "SELECT f.name, coalesce(max(s.sequence), 0) AS behind FROM folds f LEFT JOIN snapshots s USING (shard, name) "
        "WHERE f.shard = %s GROUP BY f.name ORDER BY behind LIMIT 1",
        (trim.shard,),
    ).fetchone()
    if row is None or trim.through > row[1]:
        who = f"the watch {row[0]!r} has its last snapshot behind entry {row[1]}" if row else "no watch has one"
        raise TransientError(f"Entries up to {trim.through} of shard {trim.shard!r} are still needed: {who}.")
    count_series(sql)
    sql.execute("DELETE FROM snapshots WHERE shard = %s AND sequence < %s", (trim.shard, trim.through))
    return sql.execute("DELETE FROM log WHERE shard = %s AND sequence <= %s", (trim.shard, trim.through)).rowcount
