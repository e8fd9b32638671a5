"""Alerts and the notices of them that wait for delivery."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from watchband.adapters.stores.postgres.tables import Tables, text_of
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
from watchband.core.acts import Act
from watchband.core.alert import Alert
from watchband.core.events import ModelRecord
from watchband.core.ports import Notice

if TYPE_CHECKING:
    from watchband.adapters.stores.postgres.database import Sql

_THIS_NOTICE = "alert = %s AND revision = %s AND sink = %s"


class Outbox(Tables):
    """The part of the store that people hear of."""

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        with self.reading() as sql:
            rows = sql.execute(
                'SELECT body FROM alerts ORDER BY opened, series COLLATE "C", watch COLLATE "C"'
            ).fetchall()
        return [alert_of(body) for (body,) in rows]

    def told(self) -> Sequence[tuple[Alert, int]]:
        """Open alerts that people know of."""
        with self.reading() as sql:
            rows = sql.execute(
                "SELECT body, revision FROM alerts WHERE closed IS NULL AND revision > 0 "
                'ORDER BY opened, series COLLATE "C", watch COLLATE "C"'
            ).fetchall()
        return [(alert_of(body), revision) for body, revision in rows]

    def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
        """Notices that are due; the first of each alert and sink. Only who leads may send them."""
        with self.writing() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE number IN "
                "(SELECT min(number) FROM notices WHERE NOT dead AND sink = coalesce(nullif(%s, ''), sink) "
                "GROUP BY alert, sink) AND due <= %s ORDER BY number LIMIT %s",
                (sink, now, most or None),
            ).fetchall()
        return [notice_of(*row) for row in rows]

    def delivered(self, notices: Sequence[Notice]) -> None:
        """These are done."""
        with self.writing() as sql:
            sql.executemany(f"DELETE FROM notices WHERE {_THIS_NOTICE}", map(address_of, notices))

    def postponed(self, notice: Notice, due: int, error: str) -> None:
        """Try this one again later."""
        with self.writing() as sql:
            sql.execute(
                f"UPDATE notices SET tries = %s, due = %s, error = %s WHERE {_THIS_NOTICE}",
                (notice.tries + 1, due, _without_nul(error), *address_of(notice)),
            )

    def dead(self, notice: Notice, error: str) -> None:
        """Keep this one aside."""
        with self.writing() as sql:
            sql.execute(
                f"UPDATE notices SET dead = true, tries = %s, error = %s WHERE {_THIS_NOTICE}",
                (notice.tries + 1, _without_nul(error), *address_of(notice)),
            )

    def dead_letters(self) -> Sequence[Notice]:
        """What could not be delivered, oldest first."""
        with self.reading() as sql:
            rows = sql.execute(
                "SELECT body, revision, sink, tries, due, error FROM notices WHERE dead ORDER BY number"
            ).fetchall()
        return [notice_of(*row) for row in rows]

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back."""
        with self.writing() as sql:
            sql.executemany(
                f"UPDATE notices SET dead = false, tries = 0, due = 0 WHERE {_THIS_NOTICE}", map(address_of, notices)
            )

    def act(self, act: Act) -> Act:
        """Write down what somebody did."""
        with self.writing() as sql:
            values = (act.time, act.by, act.deed, act.target, act.text, act.until)
            insert = "INSERT INTO acts (time, who, deed, target, text, until) VALUES (%s, %s, %s, %s, %s, %s)"
            number = sql.execute(f"{insert} RETURNING number", values).fetchall()[0][0]
        return replace(act, number=int(number))

    def acts(self, after: int = 0) -> Sequence[Act]:
        """What people did behind a number."""
        with self.reading() as sql:
            query = f"SELECT {ACT_COLUMNS} FROM acts WHERE number > %s ORDER BY number"
            return [Act(*row) for row in sql.execute(query, (after,)).fetchall()]

    def model_events(self) -> Sequence[ModelRecord]:
        """What happened to models."""
        with self.reading() as sql:
            rows = sql.execute("SELECT shard, sequence, body FROM model_events ORDER BY number").fetchall()
        return [model_record(*row) for row in rows]


def keep(
    sql: Sql,
    alerts: Sequence[Alert],
    routes: Mapping[str, Sequence[str]] | None,
    now: int,
    early: Collection[str] = (),
) -> None:
    """The last version of each alert, and notices for the sinks of its watch; without routes nobody is told at all.

    Nor is anybody of ``early`` ones, as long as nobody has heard of them.
    """
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
        heard = before.get(alert.id, ("", 0))[1]
        if routes is None or (alert.id in early and not heard):
            revision = heard
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
    return number, text_of(alert.series), *rest


def _without_nul(text: str) -> str:
    return text.replace("\0", "")
