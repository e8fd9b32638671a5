"""The store of an installation: a PostgreSQL database that one process writes and others stand by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from watchband.adapters.stores.postgres.access_keys import AccessKeys
from watchband.adapters.stores.postgres.outbox import Outbox, keep
from watchband.adapters.stores.postgres.tiers import Tiers, count_series
from watchband.adapters.stores.rows import PAGE, PART, entry_of, marks_of, model_rows, out_of_turn, parts_of
from watchband.adapters.stores.seen import COUNT_AFTER
from watchband.core.alert import Alert
from watchband.core.entry import Columns
from watchband.core.keeping import SNAPSHOTS_KEPT, FoldState, SnapshotRecord
from watchband.core.ports import Commit, FoldRecord, Marks
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.adapters.stores.postgres.database import Sql


class PostgresStore(Outbox, AccessKeys, Tiers):
    """Keeps everything in one schema of a database, durable when a method returns.

    Of several processes one leads, by a lease and a token (``lease.py``); a process that has not asked (``lead``) asks
    at its first write. The connection comes back by itself: what could not be done meanwhile is a TransientError.

    Parameters
    ----------
    url : str
        ``postgresql://user@host/database``, with libpq's parameters behind a ``?``.
    password : Secret, optional
        Read anew for every connection.
    schema : str
        Of all tables; made if the user may.
    lease_s : float
        A process that is not heard of for so long is taken over from.
    timeout_s : float
        A statement that takes longer is given up.
    clock : Clock, optional
        Says when an entry was written.

    Raises
    ------
    TransientError
        The server does not answer, or does not let this user in.
    ConfigError
        The schema is another program's, or the server keeps nothing safely.
    """

    name = "postgres"

    def commit(self, commit: Commit) -> None:
        """Append an entry with everything that belongs to it; one transaction, one sync to disk."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        with self.writing() as sql:
            head, positions = _head(sql, commit.shard, "FOR UPDATE")
            if commit.sequence != head + 1:
                raise out_of_turn(commit, head)
            self._append(sql, commit, new, now)
            sql.execute(
                "INSERT INTO heads (shard, head, positions) VALUES (%s, %s, %s) "
                "ON CONFLICT (shard) DO UPDATE SET head = excluded.head, positions = excluded.positions",
                (commit.shard, commit.sequence, json.dumps(positions | dict(commit.positions))),
            )
            if commit.folds:
                sql.execute(
                    "UPDATE folds SET decided = %s WHERE shard = %s AND name = ANY(%s)",
                    (commit.sequence, commit.shard, list(commit.folds)),
                )
            self._mark(sql, commit, new, now)
            for row in model_rows(commit):
                sql.execute("INSERT INTO model_events (shard, sequence, body) VALUES (%s, %s, %s)", row)
            keep(sql, commit.alerts, commit.routes, now, commit.early)
        self.know(new)

    def _append(self, sql: Sql, commit: Commit, new: dict[SeriesKey, int], now: int) -> None:
        self.numbers(sql, (r.key for r in commit.readings), new)
        columns = Columns.of(commit.readings, [self.number(r.key, new) for r in commit.readings], commit.events)
        times = columns.times
        first, last = (int(times.min()), int(times.max())) if len(times) else (None, None)
        sql.execute(
            "INSERT INTO log (shard, sequence, points, first, last, written, positions, entry) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
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

    def _mark(self, sql: Sql, commit: Commit, new: dict[SeriesKey, int], now: int) -> None:
        for (kind, watch), readings in commit.marks.items():
            self.numbers(sql, (r.key for r in readings), new)
            columns = Columns.of(readings, [self.number(r.key, new) for r in readings])
            sql.execute(
                "INSERT INTO marks (shard, sequence, kind, watch, points, written, entry) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (commit.shard, commit.sequence, kind, watch, len(columns.times), now, columns.to_bytes()),
            )

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        with self.reading() as sql:
            return _head(sql, shard)[1]

    def passed(self, shard: str, after: int) -> Sequence[Mapping[str, str]]:
        """The positions of each entry behind ``after``."""
        with self.reading() as sql:
            rows = sql.execute(
                "SELECT positions FROM log WHERE shard = %s AND sequence > %s AND positions <> '{}' ORDER BY sequence",
                (shard, after),
            ).fetchall()
        return [json.loads(positions) for (positions,) in rows]

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The entries behind ``after``, read page by page so that others may write in between."""
        while True:
            with self.reading() as sql:
                rows = sql.execute(
                    "SELECT sequence, positions, entry FROM log WHERE shard = %s AND sequence > %s "
                    "ORDER BY sequence LIMIT %s",
                    (shard, after, PAGE),
                    binary=True,
                ).fetchall()
                marks = self._marks(sql, shard, after, rows[-1][0]) if rows else {}
                page = [entry_of(shard, row, partial(self.keys, sql), marks.get(row[0], {})) for row in rows]
            yield from page
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _marks(self, sql: Sql, shard: str, after: int, through: int) -> dict[int, Marks]:
        rows = sql.execute(
            "SELECT sequence, kind, watch, entry FROM marks WHERE shard = %s AND sequence > %s AND sequence <= %s "
            "ORDER BY number",
            (shard, after, through),
            binary=True,
        ).fetchall()
        return marks_of(rows, partial(self.keys, sql))

    def head(self, shard: str) -> int:
        """Number of the last entry."""
        with self.reading() as sql:
            return _head(sql, shard)[0]

    def fold(self, shard: str, name: str) -> FoldRecord | None:
        """What is known of a fold."""
        with self.reading() as sql:
            row = sql.execute(
                "SELECT fingerprint, decided FROM folds WHERE shard = %s AND name = %s", (shard, name)
            ).fetchone()
        return FoldRecord(*row) if row else None

    def adopt(
        self, shard: str, name: str, record: FoldRecord, alerts: Sequence[Alert] = (), sinks: Sequence[str] = ()
    ) -> None:
        """Take note of a fold and of what it said of the past, which only these sinks are told."""
        now = self.clock.now()
        with self.writing() as sql:
            row = sql.execute("SELECT fingerprint FROM folds WHERE shard = %s AND name = %s", (shard, name)).fetchone()
            if row != (record.fingerprint,):
                sql.execute("INSERT INTO changes VALUES (%s, %s, %s, %s)", (now, shard, name, record.fingerprint))
            sql.execute(
                "INSERT INTO folds VALUES (%s, %s, %s, %s) ON CONFLICT (shard, name) DO UPDATE "
                "SET fingerprint = excluded.fingerprint, decided = excluded.decided",
                (shard, name, record.fingerprint, record.decided),
            )
            keep(sql, alerts, {alert.watch: sinks for alert in alerts} if sinks else None, now)

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold and its snapshots."""
        with self.writing() as sql:
            sql.execute("DELETE FROM folds WHERE shard = %s AND name = %s", (shard, name))
            sql.execute("DELETE FROM snapshots WHERE shard = %s AND name = %s", (shard, name))

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Keep a snapshot of a fold and some before it."""
        now = self.clock.now()
        with self.writing() as sql:
            this = {"shard": shard, "name": name, "sequence": sequence, "before": SNAPSHOTS_KEPT - 1}
            sql.execute(
                "DELETE FROM snapshots WHERE shard = %(shard)s AND name = %(name)s AND (sequence >= %(sequence)s OR "
                "sequence NOT IN (SELECT DISTINCT sequence FROM snapshots WHERE shard = %(shard)s AND "
                "name = %(name)s AND sequence < %(sequence)s ORDER BY sequence DESC LIMIT %(before)s))",
                this,
            )
            for number, part in enumerate(parts_of(state, PART)):
                sql.execute(
                    "INSERT INTO snapshots VALUES (%s, %s, %s, %s, %s, %s)", (shard, name, sequence, number, now, part)
                )
            count_series(sql, COUNT_AFTER)

    def restore(self, shard: str, name: str, through: int | None = None) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        this = {"shard": shard, "name": name, "through": through}
        with self.reading() as sql:
            rows = sql.execute(
                "SELECT sequence, state FROM snapshots WHERE shard = %(shard)s AND name = %(name)s AND sequence = ("
                "SELECT max(sequence) FROM snapshots WHERE shard = %(shard)s AND name = %(name)s AND "
                "sequence <= coalesce(%(through)s::bigint, sequence)) ORDER BY part",
                this,
                binary=True,
            ).fetchall()
        return (int(rows[0][0]), b"".join(part for _, part in rows)) if rows else None

    def states(self) -> Sequence[FoldState]:
        """Every fold with its snapshots."""
        with self.reading() as sql:
            folds = sql.execute(
                'SELECT shard, name, fingerprint, decided FROM folds ORDER BY shard COLLATE "C", name COLLATE "C"'
            ).fetchall()
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


def _head(sql: Sql, shard: str, lock: str = "") -> tuple[int, dict[str, str]]:
    row = sql.execute(f"SELECT head, positions FROM heads WHERE shard = %s {lock}", (shard,)).fetchone()
    return (int(row[0]), dict(json.loads(row[1]))) if row else (0, {})
