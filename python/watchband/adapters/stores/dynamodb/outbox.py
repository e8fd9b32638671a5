"""Alerts, the notices of them that wait, what people did, their keys, and what happened to models."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from watchband.adapters.stores.dynamodb.tables import Look, Tables, Work
from watchband.adapters.stores.rows import address_of, alert_of, body_of, model_record, next_revision, notice_of
from watchband.core.access_keys import AccessKey
from watchband.core.acts import Act
from watchband.core.alert import Alert
from watchband.core.events import ModelRecord
from watchband.core.ports import Notice

ALERTS, OUTBOX, ACTS, MODELS, KEYS = "alerts", "outbox", "acts", "models", "keys"
Row = dict[str, Any]


class Outbox(Tables):
    """The part of the store that people hear of.

    Who leads has the outbox in memory: a look at it is one read of the root, which says whether an operator has
    changed it meanwhile.
    """

    def __init__(self, *given: Any, **settings: Any) -> None:
        self._mirror: dict[str, Row] | None = None
        self._letters = -1
        super().__init__(*given, **settings)

    def written(self, work: Work | None) -> None:
        """The outbox in memory follows what was written."""
        super().written(work)
        if work is None:
            self._mirror = None
        elif self._mirror is not None and work.letters:
            self._letters += 1
            for change in work.changes:
                if change.pk != OUTBOX:
                    continue
                if change.item is None:
                    self._mirror.pop(change.sk, None)
                else:
                    self._mirror[change.sk] = {**change.item, "sk": change.sk}

    def _waiting(self) -> dict[str, Row]:
        """The outbox as it is, by number."""
        with self._root.lock:
            root = self._root.check()
            if self._mirror is None or root["letters"] != self._letters:
                with self.reading() as look:
                    self._mirror = {row["sk"]: row for row in look.query(OUTBOX)}
                    self._letters = look.root["letters"]
            return dict(sorted(self._mirror.items()))

    def alerts(self) -> Sequence[Alert]:
        """Every alert in its last version."""
        with self.reading() as look:
            return _sorted(alert_of(row["body"]) for row in look.query(ALERTS))

    def told(self) -> Sequence[tuple[Alert, int]]:
        """Open alerts that people know of."""
        with self.reading() as look:
            rows = {row["sk"]: row for row in look.query(ALERTS) if row["closed"] is None and row["revision"]}
        return [(alert, rows[alert.id]["revision"]) for alert in _sorted(alert_of(r["body"]) for r in rows.values())]

    def outbox(self, now: int, sink: str = "", most: int = 0) -> Sequence[Notice]:
        """Notices that are due; the first of each alert and sink. Only who leads may send them."""
        blocked: set[tuple[str, str]] = set()
        found: list[Notice] = []
        for row in self._waiting().values():
            queue = row["alert"], row["sink"]
            if row["dead"] or queue in blocked or sink not in ("", row["sink"]):
                continue
            blocked.add(queue)
            if row["due"] <= now:
                found.append(_notice(row))
                if len(found) == most:
                    break
        return found

    def delivered(self, notices: Sequence[Notice]) -> None:
        """These are done."""
        self._alter(notices, lambda row: None)

    def postponed(self, notice: Notice, due: int, error: str) -> None:
        """Try this one again later."""
        self._alter([notice], lambda row: {**row, "tries": notice.tries + 1, "due": due, "error": error})

    def dead(self, notice: Notice, error: str) -> None:
        """Keep this one aside."""
        self._alter([notice], lambda row: {**row, "dead": True, "tries": notice.tries + 1, "error": error})

    def dead_letters(self) -> Sequence[Notice]:
        """What could not be delivered, oldest first."""
        with self.reading() as look:
            return [_notice(row) for row in look.query(OUTBOX) if row["dead"]]

    def revive(self, notices: Sequence[Notice]) -> None:
        """Put dead letters back."""
        self._alter(notices, lambda row: {**row, "dead": False, "tries": 0, "due": 0})

    def _alter(self, notices: Sequence[Notice], change: Any) -> None:
        with self._root.lock:
            rows = {(row["alert"], row["revision"], row["sink"]): row for row in self._waiting().values()}
            found = [rows[address] for address in map(address_of, notices) if address in rows]
            if not found:
                return
            with self.writing() as (work, _):
                for row in found:
                    altered = change({name: value for name, value in row.items() if name not in ("pk", "sk")})
                    if altered is None:
                        work.drop(OUTBOX, row["sk"])
                    else:
                        work.put(OUTBOX, row["sk"], **altered)
                work.letters = True

    def act(self, act: Act) -> Act:
        """Write down what somebody did."""
        with self.writing() as (work, _):
            work.root["acts"] += 1
            numbered = replace(act, number=work.root["acts"])
            row = asdict(numbered)
            work.put(ACTS, f"{numbered.number:016d}", **row)
        return numbered

    def acts(self, after: int = 0) -> Sequence[Act]:
        """What people did behind a number."""
        with self.reading() as look:
            return [Act(**_without_keys(row)) for row in look.query(ACTS, f"{after + 1:016d}", "9" * 17)]

    def model_events(self) -> Sequence[ModelRecord]:
        """What happened to models."""
        with self.reading() as look:
            return [model_record(row["shard"], row["sequence"], row["body"]) for row in look.query(MODELS)]

    def access_keys(self) -> Sequence[AccessKey]:
        """Keys and sessions."""
        with self.reading() as look:
            found = [AccessKey(**_without_keys(row)) for row in look.query(KEYS)]
        return sorted(found, key=lambda key: (key.created, key.id))

    def keep_access_key(self, key: AccessKey) -> None:
        """Keep one."""
        with self.writing() as (work, _):
            work.put(KEYS, key.id, **asdict(key))

    def drop_access_keys(self, ids: Sequence[str]) -> None:
        """Forget these."""
        if ids:
            with self.writing() as (work, _):
                for number in ids:
                    work.drop(KEYS, number)


def keep(
    work: Work,
    look: Look,
    alerts: Sequence[Alert],
    routes: Mapping[str, Sequence[str]] | None,
    now: int,
    early: Collection[str] = (),
) -> None:
    """The last version of each alert, and notices for the sinks of its watch; without routes nobody is told at all.

    Nor is anybody of ``early`` ones, as long as nobody has heard of them.
    """
    found = look.get_many([(ALERTS, alert.id) for alert in alerts])
    before: dict[str, tuple[str, int]] = {sk: (row["body"], row["revision"]) for (_, sk), row in found.items()}
    for alert in alerts:
        body = body_of(alert)
        heard = before.get(alert.id, ("", 0))[1]
        if routes is None or (alert.id in early and not heard):
            revision = heard
        else:
            revision, told = next_revision(before.get(alert.id), alert)
            for sink in routes.get(alert.watch, ()) if told else ():
                work.root["notices"] += 1
                work.letters = True
                work.put(
                    OUTBOX, f"{work.root['notices']:016d}", alert=alert.id, revision=revision, sink=sink, body=body,
                    tries=0, due=0, dead=False, error="", made=now,
                )  # fmt: skip
        before[alert.id] = (body, revision)
        work.put(ALERTS, alert.id, closed=alert.closed, revision=revision, body=body)


def _sorted(alerts: Iterator[Alert] | Any) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.opened, str(alert.series), alert.watch))


def _notice(row: Mapping[str, Any]) -> Notice:
    return notice_of(row["body"], row["revision"], row["sink"], row["tries"], row["due"], row["error"])


def _without_keys(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("pk", "sk")}
