"""The store of an installation: a PostgreSQL database that one process writes and others stand by."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchband.adapters.stores.postgres.database import Address, Database
from watchband.adapters.stores.postgres.lease import Lease
from watchband.adapters.stores.postgres.schema import prepare
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
from watchband.core.alert import Alert
from watchband.core.clock import Clock, SystemClock
from watchband.core.entry import Columns
from watchband.core.errors import StateCorruptError
from watchband.core.ports import Commit, FoldRecord, Notice
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey

if TYPE_CHECKING:
    from watchband.adapters.stores.postgres.database import Sql

_THIS_NOTICE = "alert = %s AND revision = %s AND sink = %s"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class PostgresStore:
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

    def __init__(
        self,
        url: str,
        *,
        password: Secret | None = None,
        schema: str = "watchband",
        lease_s: float = 15.0,
        timeout_s: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self.address = Address(url, password, schema, timeout_s, silence_s=lease_s)
        self.clock: Clock = clock or SystemClock()
        self._database = Database(self.address)
        self._lease = Lease(self._database, self.address, lease_s)
        self._numbers: dict[SeriesKey, int] = {}
        self._keys: dict[int, SeriesKey] = {}
        try:
            with self._database.transaction() as sql:
                prepare(sql, schema)
        except BaseException:
            self.close()
            raise

    @property
    def holder(self) -> str:
        """What this process is called where it leads: host and process number."""
        return self._lease.holder

    def lead(self, timeout: float = 0.0) -> bool:
        """Whether this process is the one that writes; it waits so many seconds to become so."""
        return self._lease.take(timeout)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Sql]:
        self._lease.first()
        with self._database.transaction() as sql:
            self._lease.hold(sql)
            yield sql

    def commit(self, commit: Commit) -> None:
        """Append an entry with everything that belongs to it; one transaction, one sync to disk."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        with self._writing() as sql:
            row = sql.execute(
                "SELECT head, positions FROM heads WHERE shard = %s FOR UPDATE", (commit.shard,)
            ).fetchone()
            head, positions = (int(row[0]), json.loads(row[1])) if row else (0, {})
            if commit.sequence != head + 1:
                raise out_of_turn(commit, head)
            new = self._new_numbers(sql, commit)
            numbers = [self._numbers.get(r.key) or new[r.key] for r in commit.readings]
            _append(sql, commit, Columns.of(commit.readings, numbers, commit.events), now)
            sql.execute(
                "INSERT INTO heads VALUES (%s, %s, %s) "
                "ON CONFLICT (shard) DO UPDATE SET head = excluded.head, positions = excluded.positions",
                (commit.shard, commit.sequence, json.dumps(positions | dict(commit.positions))),
            )
            if commit.folds:
                sql.execute(
                    "UPDATE folds SET decided = %s WHERE shard = %s AND name = ANY(%s)",
                    (commit.sequence, commit.shard, list(commit.folds)),
                )
            _keep(sql, commit.alerts, commit.routes, now)
        # Only after the commit: a number that was rolled back may be given to another series.
        self._numbers.update(new)
        self._keys.update((number, key) for key, number in new.items())

    def _new_numbers(self, sql: Sql, commit: Commit) -> dict[SeriesKey, int]:
        """Numbers of the series that this process has not met, those that have none included."""
        texts = {r.key: _text_of(r.key) for r in commit.readings if r.key not in self._numbers}
        if not texts:
            return {}
        digests = {key: hashlib.blake2b(text.encode(), digest_size=16).digest() for key, text in texts.items()}
        known = _numbered(sql, "SELECT digest, id FROM series WHERE digest = ANY(%s)", [list(digests.values())])
        left = [key for key, digest in digests.items() if digest not in known]
        if left:
            known |= _numbered(
                sql,
                "INSERT INTO series (digest, key) SELECT * FROM unnest(%s::bytea[], %s::text[]) RETURNING digest, id",
                [[digests[key] for key in left], [texts[key] for key in left]],
            )
        return {key: known[digest] for key, digest in digests.items()}

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT positions FROM heads WHERE shard = %s", (shard,)).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The entries behind ``after``, read page by page so that others may write in between."""
        while True:
            with self._database.transaction() as sql:
                rows = sql.execute(
                    "SELECT sequence, positions, entry FROM log WHERE shard = %s AND sequence > %s "
                    "ORDER BY sequence LIMIT %s",
                    (shard, after, PAGE),
                    binary=True,
                ).fetchall()
                entries = [(int(n), json.loads(positions), Columns.from_bytes(entry)) for n, positions, entry in rows]
                self._learn_keys(sql, (n for _, _, columns in entries for n in columns.series.tolist()))
            for sequence, positions, columns in entries:
                readings = columns.readings([self._keys[number] for number in columns.series.tolist()])
                yield Commit(shard, sequence, readings, columns.events, positions)
            if len(rows) < PAGE:
                return
            after = entries[-1][0]

    def _learn_keys(self, sql: Sql, numbers: Iterable[int]) -> None:
        missing = {number for number in numbers if number not in self._keys}
        if not missing:
            return
        for number, text in sql.execute("SELECT id, key FROM series WHERE id = ANY(%s)", (list(missing),)).fetchall():
            key = _key_of(text)
            self._keys[number], self._numbers[key] = key, number
            missing.discard(number)
        if missing:
            raise StateCorruptError(f"The log names series {min(missing)}, which the database does not know.")

    def head(self, shard: str) -> int:
        """Number of the last entry."""
        with self._database.transaction() as sql:
            row = sql.execute("SELECT head FROM heads WHERE shard = %s", (shard,)).fetchone()
        return int(row[0]) if row else 0

    def fold(self, shard: str, name: str) -> FoldRecord | None:
        """What is known of a fold."""
        with self._database.transaction() as sql:
            row = sql.execute(
                "SELECT fingerprint, decided FROM folds WHERE shard = %s AND name = %s", (shard, name)
            ).fetchone()
        return FoldRecord(*row) if row else None

    def adopt(
        self, shard: str, name: str, record: FoldRecord, alerts: Sequence[Alert] = (), sinks: Sequence[str] = ()
    ) -> None:
        """Take note of a fold and of what it said of the past, which only these sinks are told."""
        now = self.clock.now()
        with self._writing() as sql:
            sql.execute(
                "INSERT INTO folds VALUES (%s, %s, %s, %s) ON CONFLICT (shard, name) DO UPDATE "
                "SET fingerprint = excluded.fingerprint, decided = excluded.decided",
                (shard, name, record.fingerprint, record.decided),
            )
            _keep(sql, alerts, {alert.watch: sinks for alert in alerts} if sinks else None, now)

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold and its snapshot."""
        with self._writing() as sql:
            sql.execute("DELETE FROM folds WHERE shard = %s AND name = %s", (shard, name))
            sql.execute("DELETE FROM snapshots WHERE shard = %s AND name = %s", (shard, name))

    def snapshot(self, shard: str, name: str, sequence: int, state: bytes) -> None:
        """Replace a fold's snapshot."""
        now = self.clock.now()
        with self._writing() as sql:
            sql.execute("DELETE FROM snapshots WHERE shard = %s AND name = %s", (shard, name))
            for number, part in enumerate(parts_of(state, PART)):
                sql.execute(
                    "INSERT INTO snapshots VALUES (%s, %s, %s, %s, %s, %s)", (shard, name, number, sequence, now, part)
                )

    def restore(self, shard: str, name: str) -> tuple[int, bytes] | None:
        """A fold's snapshot and the entry it stands behind."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT sequence, state FROM snapshots WHERE shard = %s AND name = %s ORDER BY part",
                (shard, name),
                binary=True,
            ).fetchall()
        return (int(rows[0][0]), b"".join(part for _, part in rows)) if rows else None

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                'SELECT body FROM alerts ORDER BY opened, series COLLATE "C", watch COLLATE "C"'
            ).fetchall()
        return [alert_of(body) for (body,) in rows]

    def told(self) -> Sequence[tuple[Alert, int]]:
        """Open alerts that people know of."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT body, revision FROM alerts WHERE closed IS NULL AND revision > 0 "
                'ORDER BY opened, series COLLATE "C", watch COLLATE "C"'
            ).fetchall()
        return [(alert_of(body), revision) for body, revision in rows]

    def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
        """Notices that are due; the first of each alert and sink. Only who leads may send them."""
        with self._writing() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE number IN "
                "(SELECT min(number) FROM notices WHERE NOT dead AND sink = coalesce(nullif(%s, ''), sink) "
                "GROUP BY alert, sink) AND due <= %s ORDER BY number LIMIT %s",
                (sink, now, most or None),
            ).fetchall()
        return [notice_of(*row) for row in rows]

    def delivered(self, notices: Sequence[Notice]) -> None:
        """These are done."""
        with self._writing() as sql:
            sql.executemany(f"DELETE FROM notices WHERE {_THIS_NOTICE}", map(address_of, notices))

    def postponed(self, notice: Notice, due: int, error: str) -> None:
        """Try this one again later."""
        with self._writing() as sql:
            sql.execute(
                f"UPDATE notices SET tries = %s, due = %s, error = %s WHERE {_THIS_NOTICE}",
                (notice.tries + 1, due, _without_nul(error), *address_of(notice)),
            )

    def dead(self, notice: Notice, error: str) -> None:
        """Keep this one aside."""
        with self._writing() as sql:
            sql.execute(
                f"UPDATE notices SET dead = true, tries = %s, error = %s WHERE {_THIS_NOTICE}",
                (notice.tries + 1, _without_nul(error), *address_of(notice)),
            )

    def dead_letters(self) -> Sequence[Notice]:
        """What could not be delivered, oldest first."""
        with self._database.transaction() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE dead ORDER BY number"
            ).fetchall()
        return [notice_of(*row) for row in rows]

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back."""
        with self._writing() as sql:
            sql.executemany(
                f"UPDATE notices SET dead = false, tries = 0, due = 0 WHERE {_THIS_NOTICE}", map(address_of, notices)
            )

    def close(self) -> None:
        """Give the lead back and let go of the connections."""
        self._lease.close()
        self._database.close()


def _append(sql: Sql, commit: Commit, columns: Columns, now: int) -> None:
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


def _keep(sql: Sql, alerts: Sequence[Alert], routes: Mapping[str, Sequence[str]] | None, now: int) -> None:
    """The last version of each alert, and notices for the sinks of its watch; without routes nobody is told at all."""
    if not alerts:
        return
    ids = [alert.id for alert in alerts]
    before: dict[str, tuple[str, int]] = {
        row[0]: (row[1], row[2])
        for row in sql.execute("SELECT id, body, revision FROM alerts WHERE id = ANY(%s)", (ids,)).fetchall()
    }
    notices: list[tuple[Any, ...]] = []
    for alert in alerts:
        body = body_of(alert)
        if routes is None:
            revision = before.get(alert.id, ("", 0))[1]
        else:
            revision, told = next_revision(before.get(alert.id), alert)
            notices += [(alert.id, revision, sink, body, now) for sink in routes.get(alert.watch, ()) if told]
        before[alert.id] = (body, revision)
    rows = {alert.id: alert for alert in alerts}
    sql.executemany(
        "INSERT INTO alerts VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "
        "severity = excluded.severity, closed = excluded.closed, revision = excluded.revision, body = excluded.body",
        [_row(alert, before[alert.id][1]) for alert in rows.values()],
    )
    sql.executemany("INSERT INTO notices (alert, revision, sink, body, made) VALUES (%s, %s, %s, %s, %s)", notices)


def _row(alert: Alert, revision: int) -> tuple[Any, ...]:
    number, _, *rest = alert_row(alert, revision)
    return number, _text_of(alert.series), *rest


def _numbered(sql: Sql, query: str, values: Sequence[Any]) -> dict[bytes, int]:
    return {bytes(digest): int(number) for digest, number in sql.execute(query, values).fetchall()}


def _text_of(key: SeriesKey) -> str:
    # PostgreSQL's texts hold no NUL; in a key's text a backslash never stands before a 0.
    return str(key).replace("\0", "\\0")


def _key_of(text: str) -> SeriesKey:
    return SeriesKey.parse(_ESCAPED.sub(lambda m: "\0" if m[1] == "0" else m[0], text) if "\\0" in text else text)


def _without_nul(text: str) -> str:
    return text.replace("\0", "")
