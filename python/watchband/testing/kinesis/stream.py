"""Streams of the stand-in: shards with their records, splits, merges, and what they refuse.

Rules are those of the Kinesis Data Streams API Reference and of the Developer Guide, "Quotas and limits".
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from watchband.core.clock import Clock
from watchband.core.duration import MINUTE, SECOND

HASHES = 2**128
RECORD_BYTES = 1 << 20
PUT_RECORDS, PUT_BYTES = 500, 5 << 20
"""PutRecords: up to 500 records, 5 MiB with their partition keys."""
GET_RECORDS, GET_BYTES = 10_000, 10 << 20
"""GetRecords: up to 10,000 records and 10 MiB."""
CALLS_PER_SECOND, READ_PER_SECOND = 5, 2 << 20
"""GetRecords of one shard: five calls a second, 2 MiB a second."""
WRITE_RECORDS, WRITE_BYTES = 1_000, 1 << 20
"""Of one shard a second."""
ITERATOR_LIVES = 5 * MINUTE


class Refusal(Exception):
    """What the API refuses, by its code."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, slots=True)
class Kept:
    """A record."""

    sequence: int
    key: str
    data: bytes
    arrived: int


@dataclass
class StoredShard:
    """A shard: its range of hash keys, its parents, its records; ``ended`` once it was split or merged."""

    id: str
    first: int
    last: int
    parents: tuple[str, ...] = ()
    born: int = 0
    ended: int | None = None
    records: list[Kept] = field(default_factory=list)
    calls: deque[int] = field(default_factory=deque)
    reads_from: int = 0
    written: dict[int, tuple[int, int]] = field(default_factory=dict)

    def read(self, now: int) -> None:
        """One GetRecords, or a refusal."""
        while self.calls and self.calls[0] <= now - SECOND:
            self.calls.popleft()
        if len(self.calls) >= CALLS_PER_SECOND or now < self.reads_from:
            raise Refusal("ProvisionedThroughputExceededException", f"Rate exceeded for shard {self.id} in stream.")
        self.calls.append(now)

    def page(self, after: int, limit: int, now: int) -> list[Kept]:
        """Records behind a number, up to the limits of one call; what was much holds up the next call."""
        found: list[Kept] = []
        size = 0
        start = bisect_right([record.sequence for record in self.records], after)
        for record in self.records[start : start + limit]:
            size += len(record.data)
            if found and size > GET_BYTES:
                break
            found.append(record)
        if size > READ_PER_SECOND:
            self.reads_from = now + size * SECOND // READ_PER_SECOND
        return found

    def takes(self, size: int, now: int) -> bool:
        """Whether the shard can take another record this second."""
        records, total = self.written.get(now // SECOND, (0, 0))
        if records + 1 > WRITE_RECORDS or total + size > WRITE_BYTES:
            return False
        self.written = {now // SECOND: (records + 1, total + size)}
        return True


class Stream:
    """One stream.

    Parameters
    ----------
    shards : int
        It begins with, equal parts of the hash keys.
    clock : Clock
        What time it is.
    """

    def __init__(self, shards: int, clock: Clock) -> None:
        self.clock = clock
        self.shards: dict[str, StoredShard] = {}
        self._sequence = 10**55
        self.missing: set[str] = set()
        for number in range(shards):
            self._add(number * HASHES // shards, (number + 1) * HASHES // shards - 1)

    def _add(self, first: int, last: int, parents: tuple[str, ...] = ()) -> StoredShard:
        shard = StoredShard(f"shardId-{len(self.shards):012d}", first, last, parents, self._next())
        self.shards[shard.id] = shard
        return shard

    def _next(self) -> int:
        self._sequence += 16
        return self._sequence

    def of(self, key: str) -> StoredShard:
        """The open shard of a partition key."""
        hashed = int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest())
        return next(s for s in self.shards.values() if s.ended is None and s.first <= hashed <= s.last)

    def put(self, key: str, data: bytes) -> tuple[StoredShard, Kept]:
        """A record, whatever the rates."""
        shard = self.of(key)
        # AWS stamps to the millisecond.
        arrived = self.clock.now() // 1_000_000 * 1_000_000
        shard.records.append(kept := Kept(self._next(), key, data, arrived))
        return shard, kept

    def split(self, shard: str) -> tuple[str, str]:
        """Two in place of one."""
        old = self.shards[shard]
        old.ended, middle = self._next(), (old.first + old.last) // 2
        return self._add(old.first, middle, (old.id,)).id, self._add(middle + 1, old.last, (old.id,)).id

    def merge(self, one: str, other: str) -> str:
        """One in place of two neighbours."""
        low, high = sorted((self.shards[one], self.shards[other]), key=lambda shard: shard.first)
        if low.last + 1 != high.first:
            raise Refusal("InvalidArgumentException", "The shards are not adjacent.")
        low.ended, high.ended = self._next(), self._next()
        return self._add(low.first, high.last, (low.id, high.id)).id

    def forget(self, shard: str) -> None:
        """Its last record is older than the retention: it is listed no longer."""
        del self.shards[shard]
        self.missing.add(shard)
