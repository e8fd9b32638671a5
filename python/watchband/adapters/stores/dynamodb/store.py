"""The store on AWS: a DynamoDB table that one process writes and others stand by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from watchband.adapters.stores.dynamodb.attributes import Change
from watchband.adapters.stores.dynamodb.catalogue import at, closed, log_of, opened, pieces
from watchband.adapters.stores.dynamodb.outbox import Outbox, keep
from watchband.adapters.stores.dynamodb.table import RefusedError
from watchband.adapters.stores.dynamodb.tables import Look, Work
from watchband.adapters.stores.dynamodb.tiers import Tiers
from watchband.adapters.stores.rows import PAGE, model_rows, out_of_turn
from watchband.core.alert import Alert
from watchband.core.entry import Columns
from watchband.core.errors import FencedError
from watchband.core.keeping import FoldState
from watchband.core.ports import Commit, FoldRecord, Readings
from watchband.core.series import SeriesKey

SETS_MAX = 8
"""Different sets of folds that the root remembers the last entry of."""


class DynamoStore(Outbox, Tiers):
    """Keeps everything in one table, durable when a method returns.

    An entry is put first, under a key that nobody reads yet; one conditional update of the root then makes it count.
    What else belongs to it goes in one transaction with that update, or, where that is more than a transaction takes,
    in a journal that the update names and that is carried out afterwards, by whoever leads.

    Parameters
    ----------
    table : str
        Its name.
    access, lease_s, budget_s, create, clock
        As ``Tables`` has them.
    objects : Objects, optional
        Where snapshots go that are too large for the table.

    Raises
    ------
    TransientError
        DynamoDB does not answer.
    PermanentError
        The table is not there and may not be made, or is another program's.
    """

    name = "dynamodb"

    def commit(self, commit: Commit) -> None:
        """Append an entry with everything that belongs to it."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        shard = commit.shard
        with self.writing() as (work, look):
            head = look.root["heads"].get(shard, 0)
            if commit.sequence != head + 1:
                raise out_of_turn(commit, head)
            self._append(work, look, commit, new, now)
            self._move(work, look, commit)
            positions = json.loads(work.root["positions"].get(shard, "{}")) | dict(commit.positions)
            work.root["positions"] = {**work.root["positions"], shard: json.dumps(positions)}
            work.root["heads"] = {**work.root["heads"], shard: commit.sequence}
            for _, sequence, body in model_rows(commit):
                work.root["models"] += 1
                work.put("models", f"{work.root['models']:016d}", shard=shard, sequence=sequence, body=body)
            keep(work, look, commit.alerts, commit.routes, now, commit.early)

    def _append(self, work: Work, look: Look, commit: Commit, new: dict[SeriesKey, int], now: int) -> None:
        def columns(readings: Sequence[Readings], events: Any = ()) -> Columns:
            return Columns.of(readings, self.number(work, look, (r.key for r in readings), new), events)

        entry = columns(commit.readings, commit.events)
        marks = [(kind, watch, columns(readings)) for (kind, watch), readings in commit.marks.items()]
        document = {"positions": dict(commit.positions), "marks": [[kind, watch] for kind, watch, _ in marks]}
        parts = pieces(closed(document, entry.to_bytes(), *(one.to_bytes() for _, _, one in marks)))
        first: dict[str, Any] = {"parts": len(parts), "written": now, "points": len(entry.times)}
        if len(entry.times):
            first["last"] = int(entry.times.max())
        for i, part in enumerate(parts):
            item = {"token": self._root.token, "sequence": commit.sequence, "entry": part} | (first if i == 0 else {})
            self._put_entry(Change(log_of(commit.shard), f"{at(commit.sequence)}.{i:04d}", item))

    def _put_entry(self, change: Change) -> None:
        """Never over that of a process which leads by now: this one may have been held just here."""
        try:
            self.table.put(
                change,
                "attribute_not_exists(pk) OR #token <= :mine",
                {"#token": "token"},
                {":mine": self._root.token},
            )
        except RefusedError as refused:
            self._root.lose()
            raise FencedError("Another process leads, and has written this entry.") from refused

    def _move(self, work: Work, look: Look, commit: Commit) -> None:
        """Note which folds moved: by the name of their set, so that it costs the same for one watch and a thousand."""
        if not commit.folds:
            return
        shard, names = commit.shard, sorted(commit.folds)
        label = hashlib.blake2b(json.dumps(names).encode(), digest_size=6).hexdigest()
        moved = dict(look.root["moved"].get(shard, {}))
        if label not in moved:
            if len(moved) >= SETS_MAX:
                for row in look.query(f"fold#{shard}"):
                    record = self._record(look, shard, row)
                    self._put_fold(work, shard, row["sk"], record, commit.sequence - 1)
                moved = {}
            work.put(f"set#{shard}", label, names=names)
        moved[label] = commit.sequence
        work.root["moved"] = {**work.root["moved"], shard: moved}

    def _put_fold(self, work: Work, shard: str, name: str, record: FoldRecord, base: int) -> None:
        work.put(f"fold#{shard}", name, fingerprint=record.fingerprint, decided=record.decided, base=base)

    def _record(self, look: Look, shard: str, row: Mapping[str, Any]) -> FoldRecord:
        """A fold as it is: what was noted of it, or the last entry behind that which a set with it moved over."""
        moved = {label: n for label, n in look.root["moved"].get(shard, {}).items() if n > row["base"]}
        sets = look.get_many([(f"set#{shard}", label) for label in moved])
        later = [moved[label] for (_, label), found in sets.items() if row["sk"] in found["names"]]
        return FoldRecord(row["fingerprint"], max([row["decided"], *later]))

    def positions(self, shard: str) -> Mapping[str, str]:
        """The last position of every source."""
        with self.reading() as look:
            return dict(json.loads(look.root["positions"].get(shard, "{}")))

    def passed(self, shard: str, after: int) -> Sequence[Mapping[str, str]]:
        """The positions of each entry behind ``after``."""
        with self.reading() as look:
            found = [opened(data)[0]["positions"] for _, data in self.payloads(look, shard, after)]
        return [positions for positions in found if positions]

    def log(self, shard: str, after: int) -> Iterator[Commit]:
        """The entries behind ``after``, read page by page so that others may write in between."""
        while True:
            with self.reading() as look:
                some = list(islice(self.payloads(look, shard, after), PAGE))
                page = [self._commit(look, shard, head["sequence"], data) for head, data in some]
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].sequence

    def _commit(self, look: Look, shard: str, sequence: int, data: bytes) -> Commit:
        def readings(raw: bytes) -> tuple[Columns, tuple[Readings, ...]]:
            columns = Columns.from_bytes(raw)
            return columns, columns.readings(self.known(look, columns.series.tolist()))

        document, entry, marks = opened(data)
        columns, found = readings(entry)
        kept = {(kind, watch): readings(raw)[1] for (kind, watch), raw in zip(document["marks"], marks, strict=True)}
        return Commit(shard, sequence, found, columns.events, document["positions"], marks=kept)

    def head(self, shard: str) -> int:
        """Number of the last entry."""
        with self.reading() as look:
            return int(look.root["heads"].get(shard, 0))

    def fold(self, shard: str, name: str) -> FoldRecord | None:
        """What is known of a fold."""
        with self.reading() as look:
            row = look.get(f"fold#{shard}", name)
            return self._record(look, shard, row) if row else None

    def adopt(
        self, shard: str, name: str, record: FoldRecord, alerts: Sequence[Alert] = (), sinks: Sequence[str] = ()
    ) -> None:
        """Take note of a fold and of what it said of the past, which only these sinks are told."""
        now = self.clock.now()
        with self.writing() as (work, look):
            self._put_fold(work, shard, name, record, look.root["heads"].get(shard, 0))
            work.root["heads"] = {shard: 0, **work.root["heads"]}
            keep(work, look, alerts, {alert.watch: sinks for alert in alerts} if sinks else None, now)

    def forget(self, shard: str, name: str) -> None:
        """Drop a fold and its snapshots."""
        with self.writing() as (work, look):
            work.drop(f"fold#{shard}", name)
            gone = self.drop_snapshots(work, look, shard, name)
        self.remove(gone)

    def states(self) -> Sequence[FoldState]:
        """Every fold with its snapshots."""
        with self.reading() as look:
            return [
                FoldState(shard, row["sk"], record.fingerprint, record.decided, self.records(look, shard, row["sk"]))
                for shard in sorted(look.root["heads"])
                for row in look.query(f"fold#{shard}")
                for record in [self._record(look, shard, row)]
            ]
