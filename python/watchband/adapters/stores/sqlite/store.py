"""The store of one machine: a directory with one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from watchband.adapters.stores.rows import PAGE, PART, entry_of, marks_of, model_rows, out_of_turn, parts_of
from watchband.adapters.stores.seen import COUNT_AFTER, add_seen
from watchband.adapters.stores.sqlite.access_keys import AccessKeys
from watchband.adapters.stores.sqlite.census import count_series, uncounted
from watchband.adapters.stores.sqlite.outbox import Outbox, keep
from watchband.adapters.stores.sqlite.tiers import Tiers
from watchband.core.alert import Alert
from watchband.core.entry import Columns
from watchband.core.keeping import SNAPSHOTS_KEPT, FoldState, SeriesRecord, SnapshotRecord
from watchband.core.ports import Commit, FoldRecord, Marks
from watchband.core.series import SeriesKey


class SqliteStore(Outbox, AccessKeys, Tiers):
    """Keeps everything in one directory, durable when a method returns, for one process at a time.

    Parameters
    ----------
    directory : path
        Made if it is not there, readable by this user alone.
    clock : Clock, optional
        Says when an entry was written.
    readonly : bool, default False
        Only look, beside the process that has it.

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

    def commit(self, commit: Commit) -> None:
        """Append an entry with everything that belongs to it; one transaction, one sync to disk."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        with self.database.transaction() as sql:
            head = head_of(sql, commit.shard)
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
            self._mark(sql, commit, new, now)
            sql.executemany("INSERT INTO model_events (shard, sequence, body) VALUES (?, ?, ?)", model_rows(commit))
            for alert in commit.alerts:
                sinks = None if commit.routes is None else commit.routes.get(alert.watch, ())
                keep(sql, alert, sinks, now, early=alert.id in commit.early)
        self.know(new)

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
            "INSERT INTO heads (shard, head) VALUES (?, ?) ON CONFLICT DO UPDATE SET head = excluded.head",
            (commit.shard, commit.sequence),
        )

    def _columns(self, sql: sqlite3.Connection, commit: Commit, new: dict[SeriesKey, int]) -> Columns:
        known = self._numbers.get
        numbers = [known(r.key) or self.number(sql, r.key, new) for r in commit.readings]
        return Columns.of(commit.readings, numbers, commit.events)

    def _mark(self, sql: sqlite3.Connection, commit: Commit, new: dict[SeriesKey, int], now: int) -> None:
        for (kind, watch), readings in commit.marks.items():
            columns = Columns.of(readings, [self.number(sql, r.key, new) for r in readings])
            sql.execute(
                "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?)",
                (commit.shard, commit.sequence, kind, watch, len(columns.times), now, columns.to_bytes()),
            )

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        with self.database.reading() as sql:
            return dict(sql.execute("SELECT source, position FROM positions WHERE shard = ?", (shard,)).fetchall())

    def passed(self, shard: str, after: int) -> Sequence[Mapping[str, str]]:
        """The positions of each entry behind ``after``."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT positions FROM log WHERE shard = ? AND sequence > ? AND positions <> '{}' ORDER BY sequence",
                (shard, after),
            ).fetchall()
        return [json.loads(positions) for (positions,) in rows]

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The entries behind ``after``, read page by page so that others may write in between."""
        while True:
            with self.database.reading() as sql:
                rows = sql.execute(
                    "SELECT sequence, positions, entry FROM log WHERE shard = ? AND sequence > ? "
                    "ORDER BY sequence LIMIT ?",
                    (shard, after, PAGE),
                ).fetchall()
                marks = self._marks(sql, shard, after, rows[-1][0]) if rows else {}
                page = [entry_of(shard, row, partial(self.keys, sql), marks.get(row[0], {})) for row in rows]
            yield from page
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _marks(self, sql: sqlite3.Connection, shard: str, after: int, through: int) -> dict[int, Marks]:
        rows = sql.execute(
            "SELECT sequence, kind, watch, entry FROM marks WHERE shard = ? AND sequence > ? AND sequence <= ? "
            "ORDER BY rowid",
            (shard, after, through),
        ).fetchall()
        return marks_of(rows, partial(self.keys, sql))

    def head(self, shard: str) -> int:
        """Number of the last entry."""
        with self.database.reading() as sql:
            return head_of(sql, shard)

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
            _changed(sql, shard, name, record.fingerprint, now)
            sql.execute(
                "INSERT INTO folds VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, "
                "decided = excluded.decided",
                (shard, name, record.fingerprint, record.decided),
            )
            for alert in alerts:
                keep(sql, alert, sinks or None, now)

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold and its snapshot."""
        with self.database.transaction() as sql:
            sql.execute("DELETE FROM folds WHERE shard = ? AND name = ?", (shard, name))
            sql.execute("DELETE FROM snapshots WHERE shard = ? AND name = ?", (shard, name))

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Keep a snapshot of a fold and some before it."""
        now = self.clock.now()
        with self.database.transaction() as sql:
            sql.execute(
                "DELETE FROM snapshots WHERE shard = ?1 AND name = ?2 AND (sequence >= ?3 OR sequence NOT IN ("
                "SELECT DISTINCT sequence FROM snapshots WHERE shard = ?1 AND name = ?2 AND sequence < ?3 "
                "ORDER BY sequence DESC LIMIT ?4))",
                (shard, name, sequence, SNAPSHOTS_KEPT - 1),
            )
            sql.executemany(
                "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)",
                [(shard, name, sequence, number, now, part) for number, part in enumerate(parts_of(state, PART))],
            )
            count_series(sql, COUNT_AFTER)

    def restore(self, shard: str, name: str, through: int | None = None) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT sequence, state FROM snapshots WHERE shard = ?1 AND name = ?2 AND sequence = (SELECT "
                "max(sequence) FROM snapshots WHERE shard = ?1 AND name = ?2 AND sequence <= coalesce(?3, sequence)) "
                "ORDER BY part",
                (shard, name, through),
            ).fetchall()
        return (rows[0][0], b"".join(part for _, part in rows)) if rows else None

    def states(self) -> Sequence[FoldState]:
        """Every fold with its snapshots."""
        with self.database.reading() as sql:
            folds = sql.execute("SELECT shard, name, fingerprint, decided FROM folds ORDER BY shard, name").fetchall()
            rows = sql.execute(
                "SELECT shard, name, sequence, max(written), sum(length(state)) FROM snapshots "
                "GROUP BY shard, name, sequence ORDER BY sequence DESC"
            ).fetchall()
        kept: dict[tuple[str, str], list[SnapshotRecord]] = {}
        for shard, name, *record in rows:
            kept.setdefault((shard, name), []).append(SnapshotRecord(*record))
        return [
            FoldState(shard, name, fingerprint, decided, tuple(kept.get((shard, name), ())))
            for shard, name, fingerprint, decided in folds
        ]

    def series(self) -> Sequence[SeriesRecord]:
        """Every series that was ever seen."""
        with self.database.reading() as sql:
            rows = sql.execute("SELECT id, key, source, first, last, points FROM series").fetchall()
            found = {row[0]: SeriesRecord(SeriesKey.parse(row[1]), *row[2:]) for row in rows}
            for shard, counted in sql.execute("SELECT shard, counted FROM heads").fetchall():
                add_seen(found, uncounted(sql, shard, counted))
        return sorted((one for one in found.values() if one.points), key=lambda s: str(s.key))

    def lead(self, timeout: float = 0.0) -> bool:
        """Always: who opened the directory has it alone."""
        return True

    def close(self) -> None:
        """Let go of the directory."""
        self.database.close()


def head_of(sql: sqlite3.Connection, shard: str) -> int:
    """Number of a shard's last entry."""
    row = sql.execute("SELECT head FROM heads WHERE shard = ?", (shard,)).fetchone()
    return int(row[0]) if row else 0


def _changed(sql: sqlite3.Connection, shard: str, name: str, fingerprint: str, now: int) -> None:
    """Note that a watch has other parameters from now on."""
    row = sql.execute("SELECT fingerprint FROM folds WHERE shard = ? AND name = ?", (shard, name)).fetchone()
    if row != (fingerprint,):
        sql.execute("INSERT INTO changes VALUES (?, ?, ?, ?)", (now, shard, name, fingerprint))
