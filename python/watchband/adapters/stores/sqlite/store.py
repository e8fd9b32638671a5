"""The store of one machine: a directory with one SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from watchband.adapters.stores.rows import (
    PAGE,
    PART,
    address_of,
    alert_of,
    alert_row,
    body_of,
    next_revision,
    notice_of,
    out_of_turn,
    parts_of,
)
from watchband.adapters.stores.sqlite.database import Database
from watchband.core.alert import Alert
from watchband.core.clock import Clock, SystemClock
from watchband.core.entry import Columns
from watchband.core.errors import StateCorruptError
from watchband.core.ports import Commit, FoldRecord, Notice
from watchband.core.series import SeriesKey


class SqliteStore:
    """Keeps everything in one directory, durable when a method returns, for one process at a time.

    Parameters
    ----------
    directory : path
        Made if it is not there, readable by this user alone.
    clock : Clock, optional
        Says when an entry was written.

    Raises
    ------
    PermanentError
        Another process has it, or the file is damaged.
    StateVersionError
        Written by a newer release.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     store = SqliteStore(directory)
    ...     store.commit(Commit("0", 1, positions={"file": "12"}))
    ...     store.close()
    ...     SqliteStore(directory).head("0")
    1
    """

    name = "sqlite"

    def __init__(self, directory: str | os.PathLike[str], *, clock: Clock | None = None) -> None:
        self.database = Database(Path(directory))
        self.clock: Clock = clock or SystemClock()
        self._numbers: dict[SeriesKey, int] = {}
        self._keys: dict[int, SeriesKey] = {}

    def commit(self, commit: Commit) -> None:
        """Append an entry with everything that belongs to it; one transaction, one sync to disk."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        with self.database.transaction() as sql:
            head = _head(sql, commit.shard)
            if commit.sequence != head + 1:
                raise out_of_turn(commit, head)
            columns = self._columns(sql, commit, new)
            self._append(sql, commit, columns, now)
            sql.executemany(
                "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
                [(commit.shard, source, position) for source, position in commit.positions.items()],
            )
            sql.executemany(
                "UPDATE folds SET decided = ? WHERE shard = ? AND name = ?",
                [(commit.sequence, commit.shard, name) for name in commit.folds],
            )
            for alert in commit.alerts:
                _keep(sql, alert, commit.routes.get(alert.watch, ()), now)
        self._know(new)

    def _append(self, sql: sqlite3.Connection, commit: Commit, columns: Columns, now: int) -> None:
        times = columns.times
        first, last = (int(times.min()), int(times.max())) if len(times) else (None, None)
        sql.execute(
            "INSERT INTO log (shard, sequence, points, first, last, written, positions, entry) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                commit.shard,
                commit.sequence,
                len(times),
                first,
                last,
                now,
                json.dumps(dict(commit.positions)),
                columns.to_bytes(),
            ),
        )
        sql.execute(
            "INSERT INTO heads VALUES (?, ?) ON CONFLICT DO UPDATE SET head = excluded.head",
            (commit.shard, commit.sequence),
        )

    def _columns(self, sql: sqlite3.Connection, commit: Commit, new: dict[SeriesKey, int]) -> Columns:
        return Columns.of(commit.readings, [self._number(sql, r.key, new) for r in commit.readings], commit.events)

    def _number(self, sql: sqlite3.Connection, key: SeriesKey, new: dict[SeriesKey, int]) -> int:
        found = self._numbers.get(key) or new.get(key)
        if found is None:
            row = sql.execute("SELECT id FROM series WHERE key = ?", (str(key),)).fetchone()
            found = row[0] if row else sql.execute("INSERT INTO series (key) VALUES (?)", (str(key),)).lastrowid
            assert found is not None
            new[key] = found
        return found

    def _know(self, new: Mapping[SeriesKey, int]) -> None:
        # Only after the commit: a number that was rolled back may be given to another series.
        self._numbers.update(new)
        self._keys.update((number, key) for key, number in new.items())

    def _key(self, sql: sqlite3.Connection, number: int) -> SeriesKey:
        if number not in self._keys:
            row = sql.execute("SELECT key FROM series WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise StateCorruptError(
                    f"The log of {self.database.path} names series {number}, which it does not know."
                )
            self._know({SeriesKey.parse(row[0]): number})
        return self._keys[number]

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        with self.database.reading() as sql:
            return dict(sql.execute("SELECT source, position FROM positions WHERE shard = ?", (shard,)).fetchall())

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The entries behind ``after``, read page by page so that others may write in between."""
        while True:
            with self.database.reading() as sql:
                rows = sql.execute(
                    "SELECT sequence, positions, entry FROM log WHERE shard = ? AND sequence > ? "
                    "ORDER BY sequence LIMIT ?",
                    (shard, after, PAGE),
                ).fetchall()
                page = [self._entry(sql, shard, *row) for row in rows]
            yield from page
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _entry(self, sql: sqlite3.Connection, shard: str, sequence: int, positions: str, entry: bytes) -> Commit:
        columns = Columns.from_bytes(entry)
        readings = columns.readings([self._key(sql, number) for number in columns.series.tolist()])
        return Commit(shard, sequence, readings, columns.events, json.loads(positions))

    def head(self, shard: str) -> int:
        """Number of the last entry."""
        with self.database.reading() as sql:
            return _head(sql, shard)

    def fold(self, shard: str, name: str) -> FoldRecord | None:
        """What is known of a fold."""
        with self.database.reading() as sql:
            row = sql.execute(
                "SELECT fingerprint, decided FROM folds WHERE shard = ? AND name = ?", (shard, name)
            ).fetchone()
        return FoldRecord(*row) if row else None

    def adopt(
        self, shard: str, name: str, record: FoldRecord, alerts: Sequence[Alert] = (), sinks: Sequence[str] = ()
    ) -> None:
        """Take note of a fold and of what it said of the past, which only these sinks are told."""
        now = self.clock.now()
        with self.database.transaction() as sql:
            sql.execute(
                "INSERT INTO folds VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, "
                "decided = excluded.decided",
                (shard, name, record.fingerprint, record.decided),
            )
            for alert in alerts:
                if sinks:
                    _keep(sql, alert, sinks, now)
                else:
                    _write(sql, alert, (_known(sql, alert.id) or ("", 0))[1])

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold and its snapshot."""
        with self.database.transaction() as sql:
            sql.execute("DELETE FROM folds WHERE shard = ? AND name = ?", (shard, name))
            sql.execute("DELETE FROM snapshots WHERE shard = ? AND name = ?", (shard, name))

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Replace a fold's snapshot."""
        now = self.clock.now()
        with self.database.transaction() as sql:
            sql.execute("DELETE FROM snapshots WHERE shard = ? AND name = ?", (shard, name))
            sql.executemany(
                "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)",
                [(shard, name, number, sequence, now, part) for number, part in enumerate(parts_of(state, PART))],
            )

    def restore(self, shard: str, name: str) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT sequence, state FROM snapshots WHERE shard = ? AND name = ? ORDER BY part", (shard, name)
            ).fetchall()
        return (rows[0][0], b"".join(part for _, part in rows)) if rows else None

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        with self.database.reading() as sql:
            rows = sql.execute("SELECT body FROM alerts ORDER BY opened, series, watch").fetchall()
        return [alert_of(body) for (body,) in rows]

    def outbox(self, now: int) -> Sequence[Notice]:
        """Notices that are due; the first of each alert and sink."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE number IN "
                "(SELECT min(number) FROM notices WHERE dead = 0 GROUP BY alert, sink) AND due <= ? ORDER BY number",
                (now,),
            ).fetchall()
        return [notice_of(*row) for row in rows]

    def delivered(self, notices: Sequence[Notice]) -> None:
        """These are done."""
        with self.database.transaction() as sql:
            sql.executemany(
                "DELETE FROM notices WHERE alert = ? AND revision = ? AND sink = ?", map(address_of, notices)
            )

    def postponed(self, notice: Notice, due: int, error: str) -> None:
        """Try this one again later."""
        with self.database.transaction() as sql:
            sql.execute(
                "UPDATE notices SET tries = ?, due = ?, error = ? WHERE alert = ? AND revision = ? AND sink = ?",
                (notice.tries + 1, due, error, *address_of(notice)),
            )

    def dead(self, notice: Notice, error: str) -> None:
        """Keep this one aside."""
        with self.database.transaction() as sql:
            sql.execute(
                "UPDATE notices SET dead = 1, tries = ?, error = ? WHERE alert = ? AND revision = ? AND sink = ?",
                (notice.tries + 1, error, *address_of(notice)),
            )

    def dead_letters(self) -> Sequence[Notice]:
        """What could not be delivered, oldest first."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE dead = 1 ORDER BY number"
            ).fetchall()
        return [notice_of(*row) for row in rows]

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back."""
        with self.database.transaction() as sql:
            sql.executemany(
                "UPDATE notices SET dead = 0, tries = 0, due = 0 WHERE alert = ? AND revision = ? AND sink = ?",
                map(address_of, notices),
            )

    def lead(self, timeout: float = 0.0) -> bool:
        """Always: who opened the directory has it alone."""
        return True

    def close(self) -> None:
        """Let go of the directory."""
        self.database.close()


def _head(sql: sqlite3.Connection, shard: str) -> int:
    row = sql.execute("SELECT head FROM heads WHERE shard = ?", (shard,)).fetchone()
    return int(row[0]) if row else 0


def _keep(sql: sqlite3.Connection, alert: Alert, sinks: Sequence[str], now: int) -> None:
    revision, told = next_revision(_known(sql, alert.id), alert)
    if told:
        body = body_of(alert)
        sql.executemany(
            "INSERT INTO notices (alert, revision, sink, body, made) VALUES (?, ?, ?, ?, ?)",
            [(alert.id, revision, sink, body, now) for sink in sinks],
        )
    _write(sql, alert, revision)


def _known(sql: sqlite3.Connection, alert_id: str) -> tuple[str, int] | None:
    row = sql.execute("SELECT body, revision FROM alerts WHERE id = ?", (alert_id,)).fetchone()
    return (str(row[0]), int(row[1])) if row else None


def _write(sql: sqlite3.Connection, alert: Alert, revision: int) -> None:
    sql.execute("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", alert_row(alert, revision))
