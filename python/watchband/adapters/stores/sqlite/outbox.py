"""Alerts and the notices of them that wait for delivery."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from watchband.adapters.stores.rows import (
    ACT_COLUMNS,
    address_of,
    alert_of,
    alert_row,
    body_of,
    model_record,
    next_revision,
    notice_of,
)
from watchband.adapters.stores.sqlite.tables import Tables
from watchband.core.acts import Act
from watchband.core.alert import Alert
from watchband.core.events import ModelRecord
from watchband.core.ports import Notice


class Outbox(Tables):
    """The part of the store that people hear of."""

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        with self.database.reading() as sql:
            rows = sql.execute("SELECT body FROM alerts ORDER BY opened, series, watch").fetchall()
        return [alert_of(body) for (body,) in rows]

    def told(self) -> Sequence[tuple[Alert, int]]:
        """Open alerts that people know of."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT body, revision FROM alerts WHERE closed IS NULL AND revision > 0 ORDER BY opened, series, watch"
            ).fetchall()
        return [(alert_of(body), revision) for body, revision in rows]

    def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
        """Notices that are due; the first of each alert and sink."""
        with self.database.reading() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE number IN "
                "(SELECT min(number) FROM notices WHERE dead = 0 AND sink = coalesce(nullif(?, ''), sink) "
                "GROUP BY alert, sink) AND due <= ? ORDER BY number LIMIT ?",
                (sink, now, most or -1),
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

    def act(self, act: Act) -> Act:
        """Write down what somebody did."""
        with self.database.transaction() as sql:
            row = (act.time, act.by, act.deed, act.target, act.text, act.until)
            done = sql.execute("INSERT INTO acts (time, who, deed, target, text, until) VALUES (?, ?, ?, ?, ?, ?)", row)
            return replace(act, number=int(done.lastrowid or 0))

    def acts(self, after: int = 0) -> Sequence[Act]:
        """What people did behind a number."""
        with self.database.reading() as sql:
            rows = sql.execute(f"SELECT {ACT_COLUMNS} FROM acts WHERE number > ? ORDER BY number", (after,)).fetchall()
        return [Act(*row) for row in rows]

    def model_events(self) -> Sequence[ModelRecord]:
        """What happened to models."""
        with self.database.reading() as sql:
            rows = sql.execute("SELECT shard, sequence, body FROM model_events ORDER BY number").fetchall()
        return [model_record(*row) for row in rows]


def keep(sql: sqlite3.Connection, alert: Alert, sinks: Sequence[str] | None, now: int, *, early: bool = False) -> None:
    """Keep an alert, and a notice for each sink if people are to hear of the change; None: nobody is told at all.

    Nor is anybody of an ``early`` one, as long as nobody has heard of it.
    """
    before = known(sql, alert.id)
    if sinks is None or (early and not (before and before[1])):
        write(sql, alert, before[1] if before else 0)
        return
    revision, told = next_revision(before, alert)
    if told:
        body = body_of(alert)
        sql.executemany(
            "INSERT INTO notices (alert, revision, sink, body, made) VALUES (?, ?, ?, ?, ?)",
            [(alert.id, revision, sink, body, now) for sink in sinks],
        )
    write(sql, alert, revision)


def known(sql: sqlite3.Connection, alert_id: str) -> tuple[str, int] | None:
    """An alert as it is kept, and how often it was told."""
    row = sql.execute("SELECT body, revision FROM alerts WHERE id = ?", (alert_id,)).fetchone()
    return (str(row[0]), int(row[1])) if row else None


def write(sql: sqlite3.Connection, alert: Alert, revision: int) -> None:
    """Keep an alert and tell nobody."""
    sql.execute("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", alert_row(alert, revision))
