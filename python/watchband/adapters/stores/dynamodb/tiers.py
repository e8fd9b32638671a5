"""What becomes of readings that are no longer kept as they came: roll-ups, files; and what leaves.

Roll-ups stand in items of sixteen series and one day: a chart of a series reads a day's hours at a time, and a trim
writes few items.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from watchband.adapters.stores.dynamodb.attributes import Change
from watchband.adapters.stores.dynamodb.catalogue import at, log_of
from watchband.adapters.stores.dynamodb.outbox import ALERTS, OUTBOX
from watchband.adapters.stores.dynamodb.snapshots import Snapshots
from watchband.adapters.stores.dynamodb.tables import Look, Work
from watchband.adapters.stores.rows import rollup_columns, rollups_of
from watchband.core.duration import DAY
from watchband.core.errors import TransientError
from watchband.core.keeping import ArchiveFile, Rollups, Trim
from watchband.core.series import SeriesKey

ARCHIVE = "archive"
TOGETHER = 16
"""Series whose hours of a day stand in one item."""
_OFFSET = 1 << 63
"""Times before 1970 sort before those after it."""
Hours = list[list[Any]]


class Tiers(Snapshots):
    """The part of the store that retention works on."""

    def expired(self, shard: str, before: int) -> int:
        """The entry up to which all are older."""
        with self.reading() as look:
            found: int = 0
            for head, _ in self.payloads(look, shard, 0):
                if "last" in head and min(head["last"], head["written"]) >= before:
                    return found
                found = int(head["sequence"])
            return found

    def trim(self, trim: Trim) -> int:
        """Entries leave, roll-ups and files come; see the port."""
        now = self.clock.now()
        new: dict[SeriesKey, int] = {}
        gone: list[list[Any]] = []
        with self.writing() as (work, look):
            left = self._leave(work, look, trim, gone) if trim.through else 0
            hours = _Hours(self, work, look)
            left += hours.drop(trim.rollups_before)
            left += self._old_alerts(work, look, trim.alerts_before)
            if len(trim.rollups):
                hours.add(trim.rollups, self.number(work, look, trim.rollups.keys, new))
            hours.write()
            for name in trim.replaced:
                work.drop(ARCHIVE, name)
            for file in trim.files:
                work.put(ARCHIVE, file.name, date=file.date, rows=file.rows, bytes=file.nbytes, made=now)
        self.remove(gone)
        if trim.through:
            # They are out of sight already: where this is cut short, the next trim goes on with it.
            keys = [row["sk"] for row in self.table.query(log_of(trim.shard), "", at(trim.through + 1))]
            self.table.write_many([Change(log_of(trim.shard), sk, None) for sk in keys])
        return left

    def _leave(self, work: Work, look: Look, trim: Trim, gone: list[list[Any]]) -> int:
        shard, behind = trim.shard, {}
        for row in look.query(f"fold#{shard}"):
            rows = self._rows(look, shard, row["sk"])
            behind[row["sk"]] = rows[-1]["sequence"] if rows else 0
        name = min(behind, key=behind.__getitem__, default=None)
        if name is None or trim.through > behind[name]:
            who = (
                f"the watch {name!r} has its last snapshot behind entry {behind[name]}" if name else "no watch has one"
            )
            raise TransientError(f"Entries up to {trim.through} of shard {shard!r} are still needed: {who}.")
        self.count(work, look)
        for row in look.query(f"snapshot#{shard}"):
            if row["sequence"] < trim.through:
                work.drop(row["pk"], row["sk"])
                gone += [row["blob"]] if "blob" in row else []
        work.root["strays"] = [*work.root["strays"], *gone]
        floor = int(look.root["floors"].get(shard, 0))
        work.root["floors"] = {**work.root["floors"], shard: max(floor, trim.through)}
        return max(0, trim.through - floor)

    def _old_alerts(self, work: Work, look: Look, before: int) -> int:
        if before <= 0:
            return 0
        waiting = {row["alert"] for row in look.query(OUTBOX)}
        closed = (row for row in look.query(ALERTS) if row["closed"] is not None and row["closed"] < before)
        old = [row["sk"] for row in closed if row["sk"] not in waiting]
        for sk in old:
            work.drop(ALERTS, sk)
        return len(old)

    def rollups(self, since: int, until: int) -> Iterator[Rollups]:
        """Hours of a range, in order, a day at a time."""
        with self.reading() as look:
            self._meet(look)
            blocks = range(-(-look.root["series"] // TOGETHER))
            days = heapq.merge(*(_days(look, block, since, until) for block in blocks), key=lambda d: d[:2])
            for _, parts in groupby(days, key=lambda d: d[0]):
                rows = sorted(row for _, _, hours in parts for row in hours if since <= row[0] < until)
                if rows:
                    numbers = sorted({row[1] for row in rows})
                    yield rollups_of(rows, numbers, self.known(look, numbers))

    def rolled(self, key: SeriesKey, since: int, until: int) -> Rollups:
        """Hours of one series."""
        with self.reading() as look:
            number = self.numbered(look, key)
            if number is None:
                return Rollups.none()
            days = _days(look, (number - 1) // TOGETHER, since, until)
            rows = [row for _, _, hours in days for row in hours if row[1] == number and since <= row[0] < until]
            return rollups_of(sorted(rows), [number], [key])

    def archived(self) -> Sequence[ArchiveFile]:
        """The files that count."""
        with self.reading() as look:
            return [ArchiveFile(row["sk"], row["date"], row["rows"], row["bytes"]) for row in look.query(ARCHIVE)]


class _Hours:
    """Roll-ups that a write changes, by block and day."""

    def __init__(self, store: Tiers, work: Work, look: Look) -> None:
        self._store, self._work, self._look = store, work, look
        self._changed: dict[tuple[int, int], Hours] = {}

    def drop(self, before: int) -> int:
        """Hours before a time leave; how many."""
        if before <= 0:
            return 0
        left = 0
        for block in range(-(-self._look.root["series"] // TOGETHER)):
            for day, _, hours in _days(self._look, block, -_OFFSET, before):
                kept = [row for row in hours if row[0] >= before]
                left += len(hours) - len(kept)
                self._changed[block, day] = kept
        return left

    def add(self, rollups: Rollups, numbers: Sequence[int]) -> None:
        """Hours come, or are added to those that are there."""
        rows = [list(row) for row in zip(*rollup_columns(rollups, numbers), strict=True)]
        places = [((row[1] - 1) // TOGETHER, row[0] // DAY) for row in rows]
        unread = sorted({place for place in places if place not in self._changed})
        found = self._look.get_many([(_pk(block), _sk(day)) for block, day in unread])
        for block, day in unread:
            item = found.get((_pk(block), _sk(day)))
            self._changed[block, day] = _unpacked(item["rows"]) if item else []
        for place, row in zip(places, rows, strict=True):
            self._changed[place].append(row)

    def write(self) -> None:
        """Put down what has changed."""
        for (block, day), rows in self._changed.items():
            if rows:
                self._work.put(_pk(block), _sk(day), rows=_packed(_joined(rows)))
            else:
                self._work.drop(_pk(block), _sk(day))


def _joined(rows: Hours) -> Hours:
    """One row for each hour and series."""
    found: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        old = found.get((row[0], row[1]))
        if old is None:
            found[row[0], row[1]] = row
            continue
        low, high = ([v for v in (old[i], row[i]) if v is not None] for i in (3, 4))
        found[row[0], row[1]] = [
            row[0], row[1], old[2] + row[2], min(low, default=None), max(high, default=None), old[5] + row[5],
            old[6] + row[6],
        ]  # fmt: skip
    return sorted(found.values(), key=lambda row: (row[0], row[1]))


def _days(look: Look, block: int, since: int, until: int) -> Iterator[tuple[int, int, Hours]]:
    """Day, block and hours, for the days that a range touches."""
    first, last = max(since, -_OFFSET) // DAY, (until - 1) // DAY
    for row in look.query(_pk(block), _sk(first), _sk(last + 1), page=8):
        yield int(row["sk"]) - _OFFSET, block, _unpacked(row["rows"])


def _pk(block: int) -> str:
    return f"hours#{block}"


def _sk(day: int) -> str:
    return f"{day + _OFFSET:020d}"


def _packed(rows: Hours) -> bytes:
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)


def _unpacked(data: bytes) -> Hours:
    rows: Hours = json.loads(zlib.decompress(data))
    return rows
